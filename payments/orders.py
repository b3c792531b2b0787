"""Write an order from a priced cart, and cancel one that will not be paid."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.models import Teacher
from money import Money, split_by_rate
from money.shares import tax_within
from payments.contracts import Quote, SoldOut
from payments.discounts.holds import hold_redemptions, release_redemptions
from payments.models import Order, OrderLine, Payment
from payments.models.order import lines_in_lock_order
from payments.pricing import PricedCart, PricedLine
from payments.registry import UnknownDomain, handler_for

# What the platform itself sells is its own in full.
ALL_BPS = 10_000
# Crockford's alphabet: without letters that can be mistaken for digits.
_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class LineSoldOut(Exception):
    """A place or slot could not be reserved. The message names the line and is shown to the student."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(f"{title}: {message}")


def write_order(*, user_id: int, priced: PricedCart) -> Order:
    """Write an order with frozen lines, and take a use of each code. Call in the checkout, with the cart locked.

    Raises CodeNotUsable; the caller's transaction must roll back.
    """
    if not priced.is_buyable:
        raise ValueError("only a cart that can be bought becomes an order")
    rates = commission_rates({line.quote.teacher_id for line in priced.lines if line.quote and line.quote.teacher_id})
    lines = [_frozen_line(line, rates) for line in priced.lines]
    order = Order.objects.create(
        number=_new_number(),
        user_id=user_id,
        cart=priced.cart,
        cart_digest=priced.digest,
        currency=priced.currency,
        terms=priced.terms,
        subtotal_minor=sum(line.unit_amount_minor * line.quantity for line in lines),
        discount_minor=sum(line.discount_minor for line in lines),
        total_minor=sum(line.amount_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
    )
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    hold_redemptions(order, priced.codes)
    return order


def reserve_lines(order: Order, *, until: datetime) -> None:
    """Hold the places of all lines, in lock order. Raises LineSoldOut; the caller's transaction must roll back."""
    for line in lines_in_lock_order(order):
        try:
            handler_for(line.domain).reserve(line.as_sold(), until)
        except SoldOut as gone:
            raise LineSoldOut(line.title, str(gone)) from gone


def cancel_order(*, order_id: int, reason: str, payment_status: Payment.Status) -> bool:
    """Cancel an order that will not be paid and release its places; False if it was paid or cancelled before.

    The caller has made sure at Stripe that none of its pages can still be paid. A payment whose card was declined keeps
    the status failed, however its page ended.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        if order.state not in (Order.State.AWAITING_PAYMENT, Order.State.PAYMENT_PENDING):
            return False
        order.state = Order.State.CANCELLED
        order.cancelled_at = timezone.now()
        order.cancel_reason = reason
        order.save(update_fields=["state", "cancelled_at", "cancel_reason"])
        _end_payments(order, payment_status)
        release_redemptions(order)
        release_lines(order)
    return True


def _end_payments(order: Order, status: Payment.Status) -> None:
    declined = When(status=Payment.Status.FAILED, then=F("status"))
    order.payments.filter(Q(ended_at=None) | Q(status=Payment.Status.PROCESSING)).update(
        status=Case(declined, default=Value(status)), ended_at=Coalesce("ended_at", Now())
    )


def release_lines(order: Order) -> None:
    """Release the places of the order's reserved lines. A domain that was removed has none left to release."""
    for line in lines_in_lock_order(order):
        if line.state != OrderLine.State.RESERVED:
            continue
        with suppress(UnknownDomain):
            handler_for(line.domain).release(line.as_sold())
        line.state = OrderLine.State.RELEASED
        line.save(update_fields=["state"])


def _frozen_line(priced: PricedLine, rates: dict[int, int]) -> OrderLine:
    quote, unit_price, amount = priced.quote, priced.unit_price, priced.amount
    if quote is None or unit_price is None or amount is None:
        raise ValueError("a line without a price cannot be ordered")
    # Fee and tax are shares of what is paid, not of the list price.
    rate = _rate_of(quote, rates)
    split = split_by_rate(amount, rate)
    # What the platform pays is shared so that the teacher gets what they would get without its discount.
    platform_pays = Money(priced.platform_discount_minor, amount.currency)
    platform_share = split_by_rate(amount + platform_pays, rate).share - split.share
    return OrderLine(
        domain=priced.line.domain,
        reference=priced.line.reference,
        quantity=priced.line.quantity,
        details=priced.line.details,
        title=quote.title[:200],
        description=quote.description[:300],
        teacher_id=quote.teacher_id,
        policy=dict(quote.policy),
        unit_amount_minor=unit_price.minor,
        discount_minor=priced.discount_minor,
        amount_minor=amount.minor,
        tax_bps=settings.TAX_RATE_BPS,
        tax_minor=tax_within(amount, settings.TAX_RATE_BPS).minor,
        commission_bps=rate,
        platform_fee_minor=split.fee.minor,
        teacher_share_minor=split.share.minor,
        platform_discount_minor=platform_pays.minor,
        platform_discount_share_minor=platform_share.minor,
        cart_line_id=priced.line.pk,
    )


def _rate_of(quote: Quote, rates: dict[int, int]) -> int:
    if quote.teacher_id is None:
        return ALL_BPS
    return rates[quote.teacher_id] if quote.commission_bps is None else quote.commission_bps


def commission_rates(teacher_ids: set[int]) -> dict[int, int]:
    """Basis points per teacher: their own rate, else the platform's."""
    own = dict(Teacher.objects.filter(pk__in=teacher_ids).values_list("pk", "commission_bps"))
    return {
        teacher_id: settings.DEFAULT_COMMISSION_BPS if (rate := own.get(teacher_id)) is None else rate
        for teacher_id in teacher_ids
    }


def _new_number() -> str:
    """40 random bits: hard to guess, and the unique constraint refuses a duplicate."""
    return "L" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(8))
