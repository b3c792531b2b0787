"""Fill, change and merge carts. Knows buyers and carts, but no request: pages and programs call the same functions."""

from __future__ import annotations

import json

from django.db import transaction

from payments.contracts import Item, NotForSale
from payments.models import Cart, CartLine, Order
from payments.pricing import PricedCart, quote_items

LINES_AT_MOST = 30
_DETAILS_BYTES_AT_MOST = 10_000


class CurrencyNotOffered(Exception):
    """The item has no price in the currency of the cart. The message is shown to the student."""


class CartFull(NotForSale):
    """More lines than one order can sensibly hold."""


def add_to_cart(item: Item, *, buyer_id: int | None, cart: Cart | None, currency: str) -> CartLine:
    """Put an item into a buyer's cart, or a guest's where `buyer_id` is None; added again, quantity and details change.

    Without a `cart` one is made, but only if the item really goes in. An empty cart takes `currency`, if the item is
    sold in it. Raises NotForSale, CurrencyNotOffered or CartFull; each carries a message to show.
    """
    if len(json.dumps(dict(item.details))) > _DETAILS_BYTES_AT_MOST:
        raise NotForSale("That is more text than we can take.")
    quote = quote_items([item], buyer_id)[0]
    if isinstance(quote, NotForSale):
        raise quote
    if not 1 <= item.quantity <= quote.quantity_limit:
        raise NotForSale(
            f"You can have between 1 and {quote.quantity_limit} of this."
            if quote.quantity_limit > 0
            else "This is sold out."
        )
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=buyer_id, cart=cart)
        _choose_currency(cart, offered=list(quote.unit_prices), preferred=currency)
        _refuse_more_than_fits(cart, item)
        line, _ = CartLine.objects.update_or_create(
            cart=cart,
            domain=item.domain,
            reference=item.reference,
            defaults={
                "quantity": item.quantity,
                "details": dict(item.details),
                "seen_unit_minor": quote.unit_prices[cart.currency].minor,
            },
        )
    return line


def remove_line(*, cart: Cart, line_id: int) -> bool:
    """Take one line out of a cart; False if it is not in it."""
    with transaction.atomic():
        Cart.objects.select_for_update().get(pk=cart.pk)
        removed, _ = CartLine.objects.filter(cart=cart, pk=line_id).delete()
        _forget_currency_when_empty(cart)
    return bool(removed)


def change_quantity(*, cart: Cart, line_id: int, quantity: int) -> bool:
    """Set how many of a line are wanted; False if it is not in the cart. What is too many shows when it is priced."""
    with transaction.atomic():
        Cart.objects.select_for_update().get(pk=cart.pk)
        return bool(CartLine.objects.filter(cart=cart, pk=line_id).update(quantity=quantity))


def confirm_prices(priced: PricedCart) -> None:
    """Note that the student has now seen the prices that changed: one statement, however many did."""
    changed = []
    for priced_line in priced.lines:
        if priced_line.seen_unit_price and priced_line.unit_price:
            priced_line.line.seen_unit_minor = priced_line.unit_price.minor
            changed.append(priced_line.line)
    CartLine.objects.bulk_update(changed, ["seen_unit_minor"])


def empty_of(cart_line_ids: list[int]) -> None:
    """Remove what was bought, leaving what was added since."""
    CartLine.objects.filter(pk__in=cart_line_ids).delete()


def merge_guest_cart(*, guest: Cart, buyer_id: int) -> int:
    """Move a guest's lines into the cart of the person they turned out to be; returns how many could not be moved.

    The guest's line wins over an older one of the same item. Lines without a price in the cart's currency stay behind.
    """
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=buyer_id, cart=None)
        _forget_currency_when_empty(cart)
        if not cart.currency:
            cart.currency = guest.currency
            cart.save(update_fields=["currency", "updated_at"])
        lines = list(guest.lines.all())
        quotes = quote_items([line.item for line in lines], buyer_id)
        left_behind = 0
        for position, line in enumerate(lines):
            quote = quotes[position]
            if isinstance(quote, NotForSale) or cart.currency not in quote.unit_prices:
                left_behind += 1
                continue
            CartLine.objects.update_or_create(
                cart=cart,
                domain=line.domain,
                reference=line.reference,
                defaults={
                    "quantity": line.quantity,
                    "details": line.details,
                    "seen_unit_minor": line.seen_unit_minor
                    if cart.currency == guest.currency
                    else quote.unit_prices[cart.currency].minor,
                },
            )
        guest.delete()
    return left_behind


def _lock_or_create(*, buyer_id: int | None, cart: Cart | None) -> Cart:
    """The cart, locked. A buyer has one of their own; a guest's may be gone, merged by a sign-in in another tab."""
    if buyer_id is not None:
        Cart.objects.get_or_create(user_id=buyer_id)
        return Cart.objects.select_for_update().get(user_id=buyer_id)
    found = Cart.objects.select_for_update().filter(pk=cart.pk, user=None).first() if cart else None
    return found or Cart.objects.create()


def _choose_currency(cart: Cart, *, offered: list[str], preferred: str) -> None:
    _forget_currency_when_empty(cart)
    if not cart.currency:
        cart.currency = preferred if preferred in offered else offered[0]
        cart.save(update_fields=["currency", "updated_at"])
    if cart.currency not in offered:
        raise CurrencyNotOffered(
            f"Your cart is in {cart.currency}, but this is sold in {', '.join(offered)} only. "
            "Pay for your cart first, then buy this."
        )


def _forget_currency_when_empty(cart: Cart) -> None:
    if cart.currency and not cart.lines.exists():
        cart.currency = ""
        cart.save(update_fields=["currency", "updated_at"])


def _refuse_more_than_fits(cart: Cart, item: Item) -> None:
    others = cart.lines.exclude(domain=item.domain, reference=item.reference).count()
    if others >= LINES_AT_MOST:
        raise CartFull(f"A cart holds {LINES_AT_MOST} different things at most. Please pay for these first.")


def restore_cart(order: Order) -> None:
    """Give a student the cart of an order whose payment failed days later, unless they filled a new one since."""
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=order.user_id, cart=None)
        _forget_currency_when_empty(cart)
        if cart.currency not in ("", order.currency):
            return
        cart.currency = order.currency
        cart.save(update_fields=["currency", "updated_at"])
        CartLine.objects.bulk_create(
            [
                CartLine(
                    cart=cart,
                    domain=line.domain,
                    reference=line.reference,
                    quantity=line.quantity,
                    details=line.details,
                    seen_unit_minor=line.unit_amount_minor,
                )
                for line in order.lines.all()
            ],
            ignore_conflicts=True,
        )
