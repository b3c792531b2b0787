"""Bring a dispute's claim on its payment and lines to what its state demands, and book the difference.

Refunds come first: what was refunded is not taken a second time from platform and teacher, so a dispute takes at most
what is left, and the platform bears the excess. If a refund fails later, what it returns is claimed after all.
"""

from __future__ import annotations

from payments.disputes.books import book_change
from payments.disputes.plan import LineStanding, give_back, take_more
from payments.disputes.taken import Taken, standing_of, taken_by
from payments.models import Dispute, DisputeAllocation, OrderLine, Payment
from payments.models.order import lines_in_lock_order


def change_claim(dispute: Dispute, *, reserved: int = 0) -> Taken:
    """Change what a dispute claims to what it must, write it, and return it. Call with the order locked.

    `reserved` is kept free of the payment, in minor units, for a refund that Stripe has made. The caller books it.
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
    return taken_by(dispute)


def claim_anew(payment: Payment, *, reserved: int = 0) -> None:
    """Change the claims of all disputes of a payment after one of its refunds changed. Call with the order locked.

    After a refund failed, the disputes take what it returned. Before a refund made at Stripe is recorded, they make
    room for the amount `reserved`.
    """
    for dispute in payment.disputes.order_by("opened_at", "pk"):
        dispute.payment = payment
        before = taken_by(dispute)
        book_change(dispute, before, change_claim(dispute, reserved=reserved))


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
                defaults={"amount_minor": new.own, "fee_minor": new.own_fee, "share_minor": new.own_share},
            )


def _standing(line: OrderLine, own: DisputeAllocation | None) -> LineStanding:
    return LineStanding(
        amount=line.amount_minor,
        fee=line.platform_fee_minor,
        taken=line.refunded_minor + line.disputed_minor,
        taken_fee=line.refunded_fee_minor + line.disputed_fee_minor,
        own=own.amount_minor if own else 0,
        own_fee=own.fee_minor if own else 0,
    )
