"""Remind staff of disputes that are due soon and not answered: without an answer they are lost."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from notifications.alerts import clear_alert, raise_alert
from payments.models import Dispute, DisputeAnswer

_SOON = timedelta(hours=48)


def remind_of_disputes() -> int:
    """Alert staff to each dispute whose answer is due within two days, once; returns how many there are."""
    queued = DisputeAnswer.objects.filter(status=DisputeAnswer.Status.QUEUED)
    due = Dispute.objects.to_answer().filter(due_by__gt=Now(), due_by__lte=Now() + _SOON)
    waiting = due.exclude(answers__in=queued).select_related("payment__order")
    for dispute in waiting:
        raise_alert(
            key=_key(dispute),
            title=f"The dispute of {dispute.amount} is lost without an answer by {dispute.due_by:%-d %B, %H:%M} UTC",
            detail={"order": dispute.payment.order.number, "page": dispute.get_admin_url()},
        )
    return len(waiting)


def clear_reminder(dispute: Dispute) -> None:
    """Clear the reminder of a dispute that was answered or decided."""
    clear_alert(key=_key(dispute))


def _key(dispute: Dispute) -> str:
    return f"dispute-due-soon:{dispute.stripe_dispute_id}"
