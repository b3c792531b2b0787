"""Request refunds: checked under the order's lock, and written before Stripe is called.

A worker sends them; `recording` records the result.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from money import Money
from money.limits import CannotBeCharged, limits_of
from payments.earnings.books import book_allocations
from payments.models import Order, OrderLine, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.refunds.allocations import write_allocations
from payments.refunds.plan import (
    AmountDisputed,
    InvalidRefundPart,
    LinePart,
    OfLines,
    PlannedPart,
    RefundExceedsRemaining,
    RefundRefused,
    Wanted,
    plan_refund,
    total_of,
)


class OrderNotPaid(RefundRefused):
    """Nothing was paid that could be refunded."""


class RequestKeyReused(RefundRefused):
    """The request key belongs to a refund of another order."""


def request_refund(  # noqa: PLR0913  # each is one field of the refund
    *,
    order_id: int,
    wanted: Wanted,
    reason: Refund.Reason,
    request_key: str,
    note: str = "",
    requested_by_id: int | None = None,
) -> Refund:
    """Write a refund, which a worker sends. A repeat with the same request key returns the first.

    Raises RefundExceedsRemaining, AmountDisputed, InvalidRefundPart, OrderNotPaid, or RequestKeyReused.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        first = Refund.objects.filter(request_key=request_key).select_related("payment").first()
        if first is not None:
            if first.payment.order_id != order.pk:
                raise RequestKeyReused(f"{request_key} was used for another order.")
            return first
        payment = _payment_of(order)
        parts = _plan_for(order, payment, wanted)
        total = total_of(parts)
        refund = Refund.objects.create(
            payment=payment,
            amount_minor=total.minor,
            currency=total.currency,
            reason=reason,
            note=note[:300],
            requested_by_id=requested_by_id,
            request_key=request_key,
        )
        book_allocations(refund, write_allocations(refund, parts))
    return refund


def plan_refund_of(order: Order, wanted: Wanted) -> list[PlannedPart]:
    """The parts that request_refund would write now. Raises as request_refund does."""
    return _plan_for(order, _payment_of(order), wanted)


def request_refund_of_undeliverable(order: Order, lines: Sequence[OrderLine]) -> Refund | None:
    """Refund in full the paid lines that could not be delivered. Call within the settlement.

    One refund for all of them, so that the student sees one amount on their statement and Stripe is called once. None
    if they were free.
    """
    paid_for = [line for line in lines if line.amount_minor]
    if not paid_for:
        return None
    return request_refund(
        order_id=order.pk,
        wanted=OfLines([LinePart(line_id=line.pk) for line in paid_for]),
        reason=Refund.Reason.UNDELIVERABLE,
        request_key=f"undeliverable:{order.pk}",
        note=" ".join(dict.fromkeys(line.state_reason for line in paid_for)),
    )


def refund_second_payment(payment: Payment) -> Refund | None:
    """Refund all of a payment whose order another payment has paid. A repeat does nothing.

    Call with the order locked and the payment's intent stored. None if all of it was refunded before.
    """
    request_key = f"second-success:{payment.pk}"
    first = Refund.objects.filter(request_key=request_key).first()
    payment.refresh_from_db(fields=["refunded_minor", "disputed_minor"])
    if first is not None or payment.refundable.minor == 0:
        return first
    return write_refund_of_second_payment(payment, payment.refundable, request_key=request_key)


def write_refund_of_second_payment(
    payment: Payment, amount: Money, *, request_key: str, note: str = "", requested_by_id: int | None = None
) -> Refund:
    """Write a refund of a second payment, which belongs to no line. Call with the order locked."""
    return Refund.objects.create(
        payment=payment,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=Refund.Reason.SECOND_PAYMENT,
        note=note[:300],
        requested_by_id=requested_by_id,
        request_key=request_key,
    )


def _plan_for(order: Order, payment: Payment, wanted: Wanted) -> list[PlannedPart]:
    try:
        parts = _plan_within(order, payment, wanted)
    except RefundExceedsRemaining as refusal:
        if payment.disputed_minor:
            raise AmountDisputed(disputed=payment.disputed, remaining=payment.refundable) from refusal
        raise
    total = total_of(parts)
    try:
        # Stripe refunds any positive amount, but only in steps in which the currency is charged.
        limits_of(total.currency).check_step(total)
    except CannotBeCharged as problem:
        raise InvalidRefundPart(str(problem)) from problem
    return parts


def _plan_within(order: Order, payment: Payment, wanted: Wanted) -> list[PlannedPart]:
    parts = plan_refund(lines_in_lock_order(order), wanted)
    # Less may be left of the payment than of its lines, if a refund made at Stripe is not allocated yet.
    if payment.refundable < (total := total_of(parts)):
        raise RefundExceedsRemaining(wanted=total, remaining=payment.refundable)
    return parts


def _payment_of(order: Order) -> Payment:
    payment = order.payments.filter(status=Payment.Status.SUCCEEDED).first() if order.is_paid else None
    if payment is None or not payment.stripe_payment_intent_id:
        raise OrderNotPaid(f"Nothing was paid for order {order.number}.")
    return payment
