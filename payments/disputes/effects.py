"""What follows from a dispute besides the books: alerts for staff, mails to teachers, and lost lines are revoked."""

from __future__ import annotations

from notifications.alerts import clear_alert, raise_alert
from payments.disputes.mails import queue_held_mails, queue_lost_mails, queue_won_mails
from payments.disputes.reminding import clear_reminder
from payments.disputes.taken import Taken, TakenOfLine, taken_by
from payments.models import Dispute, Payment
from payments.models.order import lines_in_lock_order
from payments.revocation import revoke_units

_REVOKED_BECAUSE = "The bank took the payment back."


def alert_staff(dispute: Dispute, *, status_before: str, before: Taken, after: Taken) -> None:
    """Alert staff about a new state of a dispute. Call with the order locked, once the claim is written."""
    _alert_to_answer(dispute, status_before)
    if after.lost and not before.lost:
        _alert_lost(dispute, after)


def mail_teachers(dispute: Dispute, *, before: Taken, after: Taken) -> None:
    """Mail the teachers what a change of the claim does to their shares. Call once per change, once it is booked."""
    if after.claimed and not before.claimed and not after.is_final:
        queue_held_mails(dispute, after.of_lines)
    queue_lost_mails(dispute, _newly_lost(before, after))
    # A claim that only made room for a refund is not won.
    if before.claimed and dispute.is_closed and not after.claimed and after.moved <= 0:
        queue_won_mails(dispute, before.of_lines)


def revoke_lost_lines(dispute: Dispute, after: Taken) -> None:
    """Revoke lines whose whole amount is lost or refunded. A second call has no effect. Call with the order locked.

    What another dispute only holds may come back, so its line is kept until that is decided.
    """
    lost = {line_id for line_id, part in after.lost_of_lines.items() if part.amount}
    if not lost:
        return
    kept = _held_lines(dispute.payment)
    for line in lines_in_lock_order(dispute.payment.order):
        if line.pk in lost and line.pk not in kept and not line.refundable.minor:
            revoke_units(line=line, quantity=line.quantity, reason=_REVOKED_BECAUSE)


def _held_lines(payment: Payment) -> set[int]:
    """The lines of which an undecided dispute takes a part."""
    held: set[int] = set()
    for dispute in payment.disputes.all():
        taken = taken_by(dispute)
        if not taken.is_final:
            held |= {line_id for line_id, part in taken.of_lines.items() if part.amount}
    return held


def _newly_lost(before: Taken, after: Taken) -> dict[int, TakenOfLine]:
    """What a change lost of each line for good, where that is more than was lost before."""
    newly = {}
    for line_id, now in after.lost_of_lines.items():
        so_far = before.lost_of_lines.get(line_id, TakenOfLine())
        if now.amount > so_far.amount:
            newly[line_id] = TakenOfLine(now.fee - so_far.fee, now.share - so_far.share, now.tax - so_far.tax)
    return newly


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
