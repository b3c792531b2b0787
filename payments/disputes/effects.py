"""What follows from a dispute besides the books: alerts for staff, mails to teachers, and lost lines are revoked."""

from __future__ import annotations

from notifications.alerts import clear_alert, raise_alert
from payments.disputes.mails import queue_held_mails, queue_lost_mails, queue_won_mails
from payments.disputes.reminding import clear_reminder
from payments.disputes.taken import Taken
from payments.models import Dispute
from payments.models.order import lines_in_lock_order
from payments.revocation import revoke_units

_REVOKED_BECAUSE = "The bank took the payment back."


def apply_effects(dispute: Dispute, *, status_before: str, before: Taken, after: Taken) -> None:
    """Alert staff and mail teachers about what has changed. Call with the order locked, once the claim is written."""
    _alert_to_answer(dispute, status_before)
    if after.claimed and not before.claimed and not after.is_final:
        queue_held_mails(dispute)
    if after.lost and not before.lost:
        _alert_lost(dispute, after)
        queue_lost_mails(dispute)
    if before.claimed and dispute.is_closed and not after.claimed:
        queue_won_mails(dispute)


def revoke_lost_lines(dispute: Dispute, after: Taken) -> None:
    """Revoke lines whose whole amount is lost or refunded. A second call has no effect. Call with the order locked."""
    lost = {line_id for line_id, part in after.lost_of_lines.items() if part.amount}
    if not lost:
        return
    for line in lines_in_lock_order(dispute.payment.order):
        if line.pk in lost and not line.refundable.minor:
            revoke_units(line=line, quantity=line.quantity, reason=_REVOKED_BECAUSE)


def _alert_to_answer(dispute: Dispute, status_before: str) -> None:
    key = f"dispute-to-answer:{dispute.stripe_dispute_id}"
    if not dispute.needs_answer:
        clear_alert(key=key)
        clear_reminder(dispute)
        return
    if status_before == dispute.status:
        return
    what = "An inquiry" if dispute.is_inquiry else "A dispute"
    until = f" by {dispute.due_by:%-d %B %Y}" if dispute.due_by else ""
    raise_alert(
        key=key,
        title=f"{what} of {dispute.amount} needs an answer{until}",
        detail={
            "order": dispute.payment.order.number,
            "dispute": dispute.stripe_dispute_id,
            "reason": dispute.reason.replace("_", " "),
            "answer until": f"{dispute.due_by:%-d %B %Y, %H:%M} UTC" if dispute.due_by else "not known",
            "page": dispute.get_admin_url(),
        },
    )


def _alert_lost(dispute: Dispute, after: Taken) -> None:
    raise_alert(
        key=f"dispute-lost:{dispute.stripe_dispute_id}",
        title=f"The dispute of {dispute.amount} of order {dispute.payment.order.number} is lost",
        detail={
            "order": dispute.payment.order.number,
            "dispute": dispute.stripe_dispute_id,
            "beyond what was left of the payment": str(dispute.excess) if after.lost_beyond else "nothing",
            "page": dispute.get_admin_url(),
        },
    )
