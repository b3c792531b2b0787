"""Write an order from a priced cart, and cancel one that will not be paid."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.models import Teacher
from money import Money
from payments.announcements import announce_cancelled_order
from payments.contracts import Quote, SoldOut
from payments.discounts.holds import hold_redemptions, release_redemptions
from payments.gifts.giving import write_gifts
from payments.models import Order, OrderLine, Payment
from payments.models.order import lines_in_lock_order
from payments.pricing import PricedCart, PricedLine
from payments.registry import UnknownDomain, handler_for
from payments.tax.amounts import divide
from payments.tax.rates import BY_STRIPE
from payments.tax.sellers import NO_SELLER, Seller, sellers_of

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
    sellers = sellers_of(set(rates))
    lines = [_frozen_line(line, rates, sellers) for line in priced.lines]
    order = Order.objects.create(
        number=new_order_number(),
        user_id=user_id,
        cart=priced.cart,
        cart_digest=priced.digest,
        currency=priced.currency,
        terms=priced.terms,
        subtotal_minor=sum(line.unit_amount_minor * line.quantity for line in lines),
        discount_minor=sum(line.discount_minor for line in lines),
        total_minor=sum(line.amount_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
        tax_added_minor=sum(line.tax_added_minor for line in lines),
        is_taxed_by_stripe=settings.TAX_MODE == BY_STRIPE,
    )
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    write_gifts(lines, [line.line.item.gift for line in priced.lines])
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
        announce_cancelled_order(order)
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


def _frozen_line(priced: PricedLine, rates: dict[int, int], sellers: Mapping[int, Seller]) -> OrderLine:
    quote, unit_price, line_tax = priced.quote, priced.unit_price, priced.line_tax
    if quote is None or unit_price is None or line_tax is None:
        raise ValueError("a line without a price cannot be ordered")
    # Fee and tax are shares of what is paid, not of the list price.
    rate = _rate_of(quote, rates)
    divided = divide(
        line_tax,
        taxation=priced.taxation,
        commission_bps=rate,
        by_platform=Money(priced.platform_discount_minor, unit_price.currency),
    )
    debtor = _tax_debtor(priced, quote, sellers)
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
        amount_minor=line_tax.amount.minor,
        tax_bps=priced.taxation.bps,
        tax_minor=line_tax.tax.minor,
        tax_added_minor=line_tax.added.minor,
        platform_tax_minor=divided.platform_tax.minor,
        tax_debtor_name=debtor.name,
        tax_debtor_number=debtor.tax_number,
        commission_bps=rate,
        platform_fee_minor=divided.fee.minor,
        teacher_share_minor=divided.share.minor,
        platform_discount_minor=divided.platform_discount.minor,
        platform_discount_share_minor=divided.platform_discount_share.minor,
        gift_key=priced.line.gift_key,
        cart_line_id=priced.line.pk,
    )


def _tax_debtor(priced: PricedLine, quote: Quote, sellers: Mapping[int, Seller]) -> Seller:
    """The teacher who owes the tax of a line; what the platform owes the tax of, it sells in its own name."""
    is_taxed = priced.taxation.bps or priced.taxation.is_by_stripe
    if quote.teacher_id is None or priced.taxation.is_owed_by_platform or not is_taxed:
        return NO_SELLER
    return sellers[quote.teacher_id]


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


def new_order_number() -> str:
    """A number for another order. 40 random bits: hard to guess, and the unique constraint refuses a duplicate."""
    return "L" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(8))
