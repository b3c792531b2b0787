"""Fill, change and merge carts. Takes buyers and carts, not requests, so that pages and programs share the functions.

Lock order: the cart's row, then the payment of its open page, then its lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import transaction

from catalogue.currencies import pick_currency
from payments.contracts import Item, NotForSale, Quote
from payments.discounts.cart_codes import move_codes, restore_codes
from payments.models import Cart, CartLine, Order
from payments.pricing import PricedCart, quote_items
from payments.superseding import student_changes

LINES_AT_MOST = 30
_DETAILS_BYTES_AT_MOST = 10_000
_TITLE_LENGTH = 200


class CurrencyNotOffered(NotForSale):
    """The item has no price in the currency of the cart. The message is shown to the student."""


class CartFull(NotForSale):
    """The cart has as many lines as one order may have."""


def add_to_cart(item: Item, *, buyer_id: int | None, cart: Cart | None, currency: str) -> CartLine:
    """Put an item into a buyer's cart, or a guest's if `buyer_id` is None. Added again, quantity and details change.

    Without a `cart`, one is created, but only if the item is accepted. An empty cart takes `currency` if the item is
    sold in it. Raises NotForSale, CurrencyNotOffered or CartFull, each with a message for the student.
    """
    if len(json.dumps(dict(item.details))) > _DETAILS_BYTES_AT_MOST:
        raise NotForSale("That is more text than we can take.")
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=buyer_id, cart=cart)
        item = _with_details_of(_line_of(cart, item), item)
        _refuse_more_than_one_gift(item)
        quote = quote_items([item], buyer_id)[0]
        if isinstance(quote, NotForSale):
            raise quote
        _refuse_quantity(item.quantity, quote)
        with student_changes(cart):
            _choose_currency(cart, offered=list(quote.unit_prices), preferred=currency)
            _refuse_more_than_fits(cart, item)
            _record_use(cart)
            return _put_in(cart, item, quote)


def remove_line(*, cart: Cart, line_id: int) -> bool:
    """Remove a line from a cart; False if the cart has no such line."""
    with _changing(cart):
        removed, _ = CartLine.objects.filter(cart=cart, pk=line_id).delete()
        _forget_currency_when_empty(cart)
    return bool(removed)


def change_quantity(*, cart: Cart, line_id: int, quantity: int) -> bool:
    """Set the quantity of a line; False if the cart has no such line. Pricing the cart reports too large a quantity.

    Raises NotForSale, with the page where the student can correct it, if their choices for the line do not fit the new
    quantity.
    """
    with _changing(cart):
        line = CartLine.objects.filter(cart=cart, pk=line_id).first()
        if line is None:
            return False
        quote = quote_items([replace(line.item, quantity=quantity)], cart.user_id)[0]
        if isinstance(quote, NotForSale) and quote.change_url:
            raise quote
        line.quantity = quantity
        line.save(update_fields=["quantity"])
    return True


def change_currency(*, cart: Cart, currency: str) -> bool:
    """Change the currency of a cart; False if an item in it has no price in that currency."""
    with _changing(cart):
        lines = list(cart.lines.all())
        quotes = quote_items([line.item for line in lines], cart.user_id)
        for position, line in enumerate(lines):
            quote = quotes[position]
            if isinstance(quote, NotForSale) or currency not in quote.unit_prices:
                return False
            line.seen_unit_minor = quote.unit_prices[currency].minor
        CartLine.objects.bulk_update(lines, ["seen_unit_minor"])
        _set_currency(cart, currency if lines else "")
    return True


def record_seen_prices(priced: PricedCart) -> None:
    """Store the prices and titles that the student has now seen, in one statement."""
    changed = []
    for priced_line in priced.lines:
        if priced_line.has_changed and priced_line.quote and priced_line.unit_price:
            priced_line.line.seen_unit_minor = priced_line.unit_price.minor
            priced_line.line.title = priced_line.quote.title[:_TITLE_LENGTH]
            changed.append(priced_line.line)
    CartLine.objects.bulk_update(changed, ["seen_unit_minor", "title"])


def remove_bought_lines(cart_line_ids: list[int]) -> None:
    """Remove the lines that were bought; lines that the student added since stay."""
    CartLine.objects.filter(pk__in=cart_line_ids).delete()


def remove_same_items(order: Order) -> None:
    """Remove what was bought in a cart of its own from the buyer's cart, where it waits to be bought again."""
    for line in order.lines.all():
        CartLine.objects.filter(cart__user=order.user_id, domain=line.domain, reference=line.reference).delete()


def merge_guest_cart(*, guest: Cart, buyer_id: int) -> list[str]:
    """Move a guest's lines into the cart of the user who signed in; returns the titles of lines that were not moved.

    A guest's line replaces the user's older line of the same item, but participants named for the older one are kept.
    A line is not moved if its item is not sold in the cart's currency, does not fit those participants, or exceeds the
    number of lines of a cart.
    """
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=buyer_id, cart=None)
        # The cart itself, as when a line is added: a line that another tab adds now is moved, or added to the new cart.
        list(Cart.objects.filter(pk=guest.pk, user=None).select_for_update())
        lines = list(CartLine.objects.filter(cart=guest, cart__user=None).select_for_update(of=("self",)))
        own = {line.item.key: line for line in cart.lines.all()}
        items = [_with_details_of(own.get(line.item.key), line.item) for line in lines]
        quotes = quote_items(items, buyer_id)
        left_behind = []
        with student_changes(cart):
            _set_currency(cart, cart.currency if own else guest.currency)
            for position, line in enumerate(lines):
                quote = quotes[position]
                has_room = line.item.key in own or len(own) < LINES_AT_MOST
                if isinstance(quote, NotForSale) or cart.currency not in quote.unit_prices or not has_room:
                    left_behind.append(line.title)
                    continue
                moved = _put_in(cart, items[position], quote)
                own[moved.item.key] = moved
        move_codes(guest=guest, to=cart)
        Cart.objects.filter(pk=guest.pk, user=None).delete()
    return left_behind


def restore_cart(order: Order) -> int:
    """Put the lines of an order whose payment failed days later back into the cart; returns how many were left out.

    Lines that the student added since stay as they are, so a cart in another currency takes none back.
    """
    with transaction.atomic():
        cart = lock_cart_of(order.user_id)
        lines = list(order.lines.select_related("gift"))
        _forget_currency_when_empty(cart)
        if cart.currency not in ("", order.currency):
            return len(lines)
        _set_currency(cart, order.currency)
        restore_codes(order, cart=cart)
        own = set(cart.lines.values_list("domain", "reference", "gift_key"))
        missing = [line for line in lines if line.item_key not in own]
        room = max(LINES_AT_MOST - len(own), 0)
        CartLine.objects.bulk_create(
            [
                CartLine(
                    cart=cart,
                    domain=line.domain,
                    reference=line.reference,
                    quantity=line.quantity,
                    details=line.details,
                    gift=line.gift.wish.as_json() if line.is_gift else {},
                    gift_key=line.gift_key,
                    title=line.title,
                    seen_unit_minor=line.unit_amount_minor,
                )
                for line in missing[:room]
            ]
        )
    return len(missing[room:])


@contextmanager
def _changing(cart: Cart) -> Iterator[None]:
    """Open a transaction in which the student changes this cart; the cart is locked and reloaded first."""
    with transaction.atomic():
        cart.refresh_from_db(from_queryset=Cart.objects.select_for_update())
        with student_changes(cart):
            yield
            _record_use(cart)


def lock_cart_of(buyer_id: int) -> Cart:
    """Lock a buyer's cart, which is created if needed. Call in a transaction, before locking any order of the buyer."""
    Cart.objects.get_or_create(user_id=buyer_id)
    return Cart.objects.select_for_update().get(user_id=buyer_id)


def _lock_or_create(*, buyer_id: int | None, cart: Cart | None) -> Cart:
    """The locked cart: the buyer's, or the guest's, which may be gone because a sign-in in another tab merged it."""
    if buyer_id is not None:
        return lock_cart_of(buyer_id)
    found = Cart.objects.select_for_update().filter(pk=cart.pk, user=None).first() if cart else None
    return found or Cart.objects.create()


def _put_in(cart: Cart, item: Item, quote: Quote) -> CartLine:
    line, _ = CartLine.objects.update_or_create(
        cart=cart,
        domain=item.domain,
        reference=item.reference,
        gift_key=item.key[-1],
        defaults={
            "quantity": item.quantity,
            "details": dict(item.details),
            "gift": item.gift.as_json() if item.gift else {},
            "title": quote.title[:_TITLE_LENGTH],
            "seen_unit_minor": quote.unit_prices[cart.currency].minor,
        },
    )
    return line


def _record_use(cart: Cart) -> None:
    """Record that a guest uses the cart: guests' carts are deleted when they have not been used for long."""
    if cart.user_id is None:
        cart.save(update_fields=["updated_at"])


def _line_of(cart: Cart, item: Item) -> CartLine | None:
    domain, reference, gift_key = item.key
    return cart.lines.filter(domain=domain, reference=reference, gift_key=gift_key).first()


def _with_details_of(line: CartLine | None, item: Item) -> Item:
    """The item with the details of its line if it comes without any: adding it again must not drop participants."""
    return replace(item, details=line.details) if line and not item.details else item


def _refuse_quantity(quantity: int, quote: Quote) -> None:
    if 1 <= quantity <= quote.quantity_limit:
        return
    if quote.quantity_limit <= 0:
        raise NotForSale("This is sold out.")
    raise NotForSale(f"You can have between 1 and {quote.quantity_limit} of this.")


def _refuse_more_than_one_gift(item: Item) -> None:
    if item.gift and item.quantity != 1:
        raise NotForSale("A gift is for one person. Add another gift for the next one.")


def _refuse_more_than_fits(cart: Cart, item: Item) -> None:
    domain, reference, gift_key = item.key
    others = cart.lines.exclude(domain=domain, reference=reference, gift_key=gift_key).count()
    if others >= LINES_AT_MOST:
        raise CartFull(f"A cart holds {LINES_AT_MOST} different things at most. Please pay for these first.")


def _choose_currency(cart: Cart, *, offered: list[str], preferred: str) -> None:
    _forget_currency_when_empty(cart)
    if not cart.currency:
        _set_currency(cart, pick_currency(offered, preferred=preferred))
    if cart.currency not in offered:
        raise CurrencyNotOffered(
            f"Your cart is in {cart.currency}, but this is sold in {', '.join(offered)} only. "
            "Pay for your cart first, then buy this."
        )


def _forget_currency_when_empty(cart: Cart) -> None:
    if cart.currency and not cart.lines.exists():
        _set_currency(cart, "")


def _set_currency(cart: Cart, currency: str) -> None:
    if cart.currency != currency:
        cart.currency = currency
        cart.save(update_fields=["currency", "updated_at"])
