"""Codes, carts that hold them, and orders that used them."""

from itertools import count

from money import Money
from payments.checkout import _prepare
from payments.discounts.cart_codes import enter_code
from payments.models import DiscountAmount, DiscountCode
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer

_numbers = count(1)


def code_of(percent=None, off=(), least=(), **fields):
    """A code for a percentage, or for amounts off; borne by a teacher if a `bearer` is named."""
    if "bearer" in fields:
        fields.setdefault("borne_by", DiscountCode.BorneBy.TEACHER)
    fields.setdefault("code", f"CODE-{next(_numbers)}")
    code = DiscountCode.objects.create(percent_bps=percent and int(percent * 100), **fields)
    offs = {money.currency: money.minor for money in off}
    leasts = {money.currency: money.minor for money in least}
    for currency in offs | leasts:
        DiscountAmount.objects.create(
            code=code,
            currency=currency,
            off_minor=offs.get(currency),
            least_spend_minor=leasts.get(currency, 0),
        )
    return code


def discounted_cart(*prices, codes=(), currency="GBP", quantity=1, user=None, teacher=None):
    """A cart with an item at each of these prices in minor units, and these codes entered."""
    references = [sample_offer(Money(minor, currency), teacher=teacher) for minor in prices]
    cart = cart_with(*references, quantity=quantity, user=user)
    for code in codes:
        enter_code(cart=cart, text=code.code)
    return cart


def prepare(cart):
    """The checkout transaction of a cart as it is now."""
    return _prepare(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)


def open_discounted(*prices, **terms):
    """An order with codes whose page is open; a free one is settled. Returns its payment."""
    return open_order(cart=discounted_cart(*prices, **terms))


def paid_discounted(*prices, **terms):
    """A paid order with codes; returns its payment."""
    payment = open_discounted(*prices, **terms)
    if not payment.has_succeeded:
        settle_payment(evidence_for(payment))
        payment.refresh_from_db()
    return payment
