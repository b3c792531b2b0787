"""The mails to teachers about their payouts."""

from __future__ import annotations

from django.urls import reverse

from money import Money
from notifications.outbox import queue_mail
from payments.models import BankPayout, Payout


def queue_requested_by_schedule(payout: Payout) -> None:
    """Mail the teacher that their schedule requested a payout."""
    _queue(payout, "requested", template="payout_requested")


def queue_declined(payout: Payout) -> None:
    """Mail the teacher that staff declined the payout, and why."""
    _queue(payout, "declined", template="payout_declined", reason=payout.note)


def queue_paid(payout: Payout) -> None:
    """Mail the teacher that the payout was approved and has left."""
    _queue(
        payout,
        "paid",
        template="payout_paid",
        is_by_transfer=payout.is_by_transfer,
        last_four=payout.bank_last_four,
    )


def queue_failed(payout: Payout) -> None:
    """Mail the teacher that the payout failed, that the money is back in their balance, and what to do."""
    _queue(payout, "failed", template="payout_failed", reason=payout.failure_reason)


def queue_returned(payout: Payout, part: Money, *, key: str) -> None:
    """Mail the teacher that money of a paid payout came back into their balance. `key` tells returns apart."""
    _queue(payout, f"returned:{key}", template="payout_returned", part=str(part))


def queue_bank_refused(bank_payout: BankPayout) -> None:
    """Mail the teacher that their bank returned a payout of Stripe's, and that they must correct their details."""
    teacher = bank_payout.account.teacher
    queue_mail(
        key=f"bank-payout:{bank_payout.stripe_payout_id}:failed",
        to=teacher.user,
        template="payments/mail/payout_bank_refused",
        context={
            "amount": str(bank_payout.amount),
            "reason": bank_payout.failure_message,
            "payouts_path": reverse("payments:payouts"),
        },
    )


def _queue(payout: Payout, kind: str, *, template: str, **more: object) -> None:
    queue_mail(
        key=f"payout:{payout.reference}:{kind}",
        to=payout.teacher.user,
        template=f"payments/mail/{template}",
        context={
            "amount": str(payout.amount),
            "payout_path": payout.get_absolute_url(),
            "payouts_path": reverse("payments:payouts"),
            **more,
        },
    )
