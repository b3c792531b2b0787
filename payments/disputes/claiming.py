"""Bring a dispute's claim on its payment and lines to what its state demands, with all that follows from the change.

Refunds come first: what was refunded is not taken a second time from platform and teacher, so a dispute takes at most
what is left, and the platform bears the excess. If a refund fails later, what it returns is claimed after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from money.taking import NOTHING
from payments.disputes.books import book_change, book_movement, lock_accounts_of
from payments.disputes.effects import mail_teachers, revoke_lost_lines
from payments.disputes.plan import LineStanding, give_back, take_more
from payments.disputes.taken import Taken, standing_of, taken_by
from payments.earnings.books import follow_discounts
from payments.models import Dispute, DisputeAllocation, DisputeMovement, OrderLine, Payment
from payments.models.order import lines_in_lock_order


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChange:
    """What a dispute took, and what it takes now."""

    dispute: Dispute
    before: Taken
    after: Taken


def change_claim(dispute: Dispute, *, before: Taken, reserved: int = 0) -> ClaimChange:
    """Change what a dispute claims to what it must, and write it. Call with the order locked, then `follow_changes`.

    `before` is what it took. `reserved` is kept free of the payment, in minor units, for a refund that Stripe has made.
    """
    payment = dispute.payment
    payment.refresh_from_db(fields=["refunded_minor", "disputed_minor"])
    target = standing_of(dispute).claim
    room = payment.refundable.minor + dispute.claimed_minor - reserved
    claimed = max(0, min(target, room))
    if payment.has_succeeded:
        _change_allocations(dispute, claimed - dispute.claimed_minor)
    dispute.claimed_minor, dispute.excess_minor = claimed, target - claimed
    dispute.save(update_fields=["claimed_minor", "excess_minor"])
    return ClaimChange(dispute=dispute, before=before, after=taken_by(dispute))


def change_claims(payment: Payment, *, but: Dispute | None = None, reserved: int = 0) -> list[ClaimChange]:
    """Change what all disputes of a payment claim, without one. Call with the order locked, then `follow_changes`."""
    changes = []
    for dispute in payment.disputes.order_by("opened_at", "pk"):
        if dispute == but:
            continue
        dispute.payment = payment
        changes.append(change_claim(dispute, before=taken_by(dispute), reserved=reserved))
    return changes


def claim_anew(payment: Payment, *, reserved: int = 0) -> None:
    """Change the claims of all disputes of a payment after one of its refunds changed. Call with the order locked.

    After a refund failed, the disputes take what it returned, as if it had never been made. Before a refund made at
    Stripe is recorded, they make room for the amount `reserved`.
    """
    follow_changes(payment, change_claims(payment, reserved=reserved))


def follow_changes(payment: Payment, changes: Sequence[ClaimChange], movements: Sequence[DisputeMovement] = ()) -> None:
    """Revoke what is lost now, book what has changed and was moved, and mail the teachers. Call with the order locked.

    Domains lock rows of their own, which come before the teachers' accounts. These are locked all at once: two disputes
    of one payment may concern different teachers.
    """
    changed = [change for change in changes if change.before != change.after]
    for change in changed:
        revoke_lost_lines(change.dispute, change.after)
    if changed:
        lock_accounts_of(payment)
    for movement in movements:
        book_movement(movement.dispute, movement)
    for change in changed:
        book_change(change.dispute, change.before, change.after)
        mail_teachers(change.dispute, before=change.before, after=change.after)
    if changed:
        follow_discounts(OrderLine.objects.filter(order=payment.order_id).values_list("pk", flat=True))


def _change_allocations(dispute: Dispute, change: int) -> None:
    if not change:
        return
    lines = lines_in_lock_order(dispute.payment.order)
    present = {allocation.line_id: allocation for allocation in dispute.allocations.all()}
    before = [_standing(line, present.get(line.pk)) for line in lines]
    currency = dispute.payment.currency
    if change > 0:
        after = take_more(before, change, currency=currency)
    else:
        after = give_back(before, -change, currency=currency)
    for line, old, new in zip(lines, before, after, strict=True):
        if old != new:
            DisputeAllocation.objects.update_or_create(
                dispute=dispute,
                line=line,
                defaults={
                    "amount_minor": new.own.amount,
                    "fee_minor": new.own.fee,
                    "share_minor": new.own.share,
                },
            )


def _standing(line: OrderLine, own: DisputeAllocation | None) -> LineStanding:
    return LineStanding(
        whole=line.parts,
        taken=line.refunded_parts + line.disputed_parts,
        own=own.parts if own else NOTHING,
    )
