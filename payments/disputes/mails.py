"""The mails to teachers about disputes of what they sold. Staff get alerts."""

from __future__ import annotations

from itertools import groupby

from money import Money
from notifications.outbox import queue_mail
from payments.models import Dispute


def queue_held_mails(dispute: Dispute) -> None:
    """Mail the teachers that their share is held until the bank has decided."""
    _queue(dispute, "held")


def queue_won_mails(dispute: Dispute) -> None:
    """Mail the teachers that the dispute was decided for them, and that nothing is held any more."""
    _queue(dispute, "won")


def queue_lost_mails(dispute: Dispute) -> None:
    """Mail the teachers that the dispute was decided for the cardholder, and what that takes from their balance."""
    _queue(dispute, "lost")


def _queue(dispute: Dispute, outcome: str) -> None:
    """One mail to each teacher for each outcome, however often it is recorded."""
    allocations = dispute.allocations.select_related("line__order", "line__teacher__user", "dispute__payment")
    sold = [each for each in allocations if each.line.was_delivered and (each.amount_minor or outcome == "won")]
    sold.sort(key=lambda allocation: (allocation.line.teacher_id, allocation.line_id))
    for teacher, group in groupby(sold, key=lambda allocation: allocation.line.teacher):
        of_teacher = list(group)
        share = sum(allocation.share_minor for allocation in of_teacher)
        queue_mail(
            key=f"dispute:{dispute.stripe_dispute_id}:{outcome}:{teacher.pk}",
            to=teacher.user,
            template=f"payments/mail/dispute_{outcome}",
            context={
                "order_number": dispute.payment.order.number,
                "share": str(Money(share, dispute.payment.currency)),
                "titles": [allocation.line.counted_title for allocation in of_teacher],
            },
        )
