"""Gifts, bought and paid through the public functions."""

from accounts.tests.factories import UserFactory
from money import Money
from payments.cart import _put_in, add_to_cart
from payments.contracts import Item
from payments.gifts.codes import code_of
from payments.gifts.contracts import GiftWish
from payments.models import Cart, Gift
from payments.pricing import quote_items
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, sample_offer


def wish_for(receiver="Ada Lovelace", **fields):
    return GiftWish(**{"receiver": receiver, "email": "ada@example.org", **fields})


def cart_with_gift(reference=None, *, giver=None, wish=None, domain="sample", price=None, is_alone=False):
    """A cart with a gift of a sample item; with `is_alone` one beside what the giver has in theirs."""
    price = price or Money(2500, "GBP")
    reference = reference or sample_offer(price)
    item = Item(domain=domain, reference=str(reference), gift=wish or wish_for())
    giver = giver or UserFactory(full_name="Grace Hopper")
    if is_alone:
        [quote] = quote_items([item], giver.pk).values()
        cart = Cart.objects.create(payer=giver, only_item="gift", currency=price.currency)
        _put_in(cart, item, quote)
        return cart
    return add_to_cart(item, buyer_id=giver.pk, cart=None, currency=price.currency).cart


def open_gift(**terms):
    """A payment whose page is open, of an order with one gift."""
    return open_order(cart=cart_with_gift(**terms))


def paid_gift(**terms):
    """A paid gift that waits to be redeemed."""
    payment = open_gift(**terms)
    if not payment.has_succeeded:
        settle_payment(evidence_for(payment))
    return gift_of(payment)


def gift_of(payment):
    return Gift.objects.select_related("line__order__user").get(line__order=payment.order_id)


def code(gift):
    gift.refresh_from_db()
    return code_of(gift)
