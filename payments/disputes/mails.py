"""The mails to teachers about disputes of what they sold. Staff get alerts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from money import Money
from notifications.outbox import queue_mail
from payments.disputes.taken import TakenOfLine
from payments.models import Dispute, OrderLine


def queue_held_mails(dispute: Dispute, held: Mapping[int, TakenOfLine]) -> None:
    """Mail the teachers that their share is held until the bank has decided. Once per dispute."""
    _queue(dispute, "held", held, key="held")


def queue_won_mails(dispute: Dispute, released: Mapping[int, TakenOfLine]) -> None:
    """Mail the teachers that the dispute was decided for them, and that nothing is held any more. Once per dispute."""
    _queue(dispute, "won", released, key="won")


def queue_lost_mails(dispute: Dispute, lost: Mapping[int, TakenOfLine]) -> None:
    """Mail the teachers what a change of the lost dispute takes from their balance. Once per change.

    A refund that fails later may make them lose more.
    """
    _queue(dispute, "lost", lost, key=f"lost:{dispute.steps}")


def _queue(dispute: Dispute, outcome: str, parts: Mapping[int, TakenOfLine], *, key: str) -> None:
    """One mail to each teacher of these lines that earned something with them."""
    lines = OrderLine.objects.select_related("teacher__user").filter(pk__in=[pk for pk in parts if parts[pk].amount])
    sold = [line for line in lines.order_by("teacher_id", "pk") if line.was_delivered]
    for teacher, group in groupby(sold, key=lambda line: line.teacher):
        if teacher is None:
            continue
        of_teacher = list(group)
        share = sum(parts[line.pk].share for line in of_teacher)
        queue_mail(
            key=f"dispute:{dispute.stripe_dispute_id}:{key}:{teacher.pk}",
            to=teacher.user,
            template=f"payments/mail/dispute_{outcome}",
            context={
                "order_number": dispute.payment.order.number,
                "share": str(Money(share, dispute.payment.currency)),
                "titles": [line.counted_title for line in of_teacher],
            },
        )
