"""Fill, change and merge carts. Knows buyers and carts, but no request: pages and programs call the same functions.

A cart's row is locked first, then the payment of its open page, then its lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import transaction

from catalogue.currencies import pick_currency
from payments.contracts import Item, NotForSale, Quote
from payments.models import Cart, CartLine, Order
from payments.pricing import PricedCart, quote_items
from payments.superseding import student_changes

LINES_AT_MOST = 30
_DETAILS_BYTES_AT_MOST = 10_000
_TITLE_LENGTH = 200


class CurrencyNotOffered(NotForSale):
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
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=buyer_id, cart=cart)
        item = _with_details_of(_line_of(cart, item), item)
        quote = quote_items([item], buyer_id)[0]
        if isinstance(quote, NotForSale):
            raise quote
        _refuse_quantity(item.quantity, quote)
        with student_changes(cart):
            _choose_currency(cart, offered=list(quote.unit_prices), preferred=currency)
            _refuse_more_than_fits(cart, item)
            _note_use(cart)
            return _put_in(cart, item, quote)


def remove_line(*, cart: Cart, line_id: int) -> bool:
    """Take one line out of a cart; False if it is not in it."""
    with _changing(cart):
        removed, _ = CartLine.objects.filter(cart=cart, pk=line_id).delete()
        _forget_currency_when_empty(cart)
    return bool(removed)


def change_quantity(*, cart: Cart, line_id: int, quantity: int) -> bool:
    """Set how many of a line are wanted; False if it is not in the cart. What is too many shows when it is priced.

    Raises NotForSale, with the page to go to, if what the student chose for the line does not fit the new quantity.
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
    """Let a cart be paid in another currency; False if something in it has no price in that."""
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


def note_what_was_seen(priced: PricedCart) -> None:
    """Keep prices and titles as the student has now seen them: one statement, however many changed."""
    changed = []
    for priced_line in priced.lines:
        if priced_line.is_news and priced_line.quote and priced_line.unit_price:
            priced_line.line.seen_unit_minor = priced_line.unit_price.minor
            priced_line.line.title = priced_line.quote.title[:_TITLE_LENGTH]
            changed.append(priced_line.line)
    CartLine.objects.bulk_update(changed, ["seen_unit_minor", "title"])


def empty_of(cart_line_ids: list[int]) -> None:
    """Remove what was bought, leaving what was added since."""
    CartLine.objects.filter(pk__in=cart_line_ids).delete()


def merge_guest_cart(*, guest: Cart, buyer_id: int) -> list[str]:
    """Move a guest's lines into the cart of the person they turned out to be; returns titles of what could not be moved.

    The guest's line wins over an older one of the same item, but names given for the older one are kept. Left behind is
    what is not sold in the cart's currency, what does not fit those names, and what exceeds the lines of a cart.
    """
    with transaction.atomic():
        cart = _lock_or_create(buyer_id=buyer_id, cart=None)
        lines = list(CartLine.objects.filter(cart=guest, cart__user=None).select_for_update(of=("self",)))
        own = {(line.domain, line.reference): line for line in cart.lines.all()}
        items = [_with_details_of(own.get((line.domain, line.reference)), line.item) for line in lines]
        quotes = quote_items(items, buyer_id)
        left_behind = []
        with student_changes(cart):
            _set_currency(cart, cart.currency if own else guest.currency)
            for position, line in enumerate(lines):
                quote = quotes[position]
                has_room = (line.domain, line.reference) in own or len(own) < LINES_AT_MOST
                if isinstance(quote, NotForSale) or cart.currency not in quote.unit_prices or not has_room:
                    left_behind.append(line.title)
                    continue
                moved = _put_in(cart, items[position], quote)
                own[line.domain, line.reference] = moved
        Cart.objects.filter(pk=guest.pk, user=None).delete()
    return left_behind


def restore_cart(order: Order) -> int:
    """Give a student the cart of an order whose payment failed days later; returns how many lines could not be put back.

    What they have put in since stays as it is, so a cart in another currency takes none of them.
    """
    with transaction.atomic():
        cart = lock_cart_of(order.user_id)
        lines = list(order.lines.all())
        _forget_currency_when_empty(cart)
        if cart.currency not in ("", order.currency):
            return len(lines)
        _set_currency(cart, order.currency)
        own = set(cart.lines.values_list("domain", "reference"))
        missing = [line for line in lines if (line.domain, line.reference) not in own]
        room = max(LINES_AT_MOST - len(own), 0)
        CartLine.objects.bulk_create(
            [
                CartLine(
                    cart=cart,
                    domain=line.domain,
                    reference=line.reference,
                    quantity=line.quantity,
                    details=line.details,
                    title=line.title,
                    seen_unit_minor=line.unit_amount_minor,
                )
                for line in missing[:room]
            ]
        )
    return len(missing[room:])


@contextmanager
def _changing(cart: Cart) -> Iterator[None]:
    """A transaction in which the student changes this cart, locked and read again."""
    with transaction.atomic():
        cart.refresh_from_db(from_queryset=Cart.objects.select_for_update())
        with student_changes(cart):
            yield
            _note_use(cart)


def lock_cart_of(buyer_id: int) -> Cart:
    """A buyer's own cart, created if need be, locked before any order of theirs. Call in a transaction."""
    Cart.objects.get_or_create(user_id=buyer_id)
    return Cart.objects.select_for_update().get(user_id=buyer_id)


def _lock_or_create(*, buyer_id: int | None, cart: Cart | None) -> Cart:
    """The cart, locked. A buyer has one of their own; a guest's may be gone, merged by a sign-in in another tab."""
    if buyer_id is not None:
        return lock_cart_of(buyer_id)
    found = Cart.objects.select_for_update().filter(pk=cart.pk, user=None).first() if cart else None
    return found or Cart.objects.create()


def _put_in(cart: Cart, item: Item, quote: Quote) -> CartLine:
    line, _ = CartLine.objects.update_or_create(
        cart=cart,
        domain=item.domain,
        reference=item.reference,
        defaults={
            "quantity": item.quantity,
            "details": dict(item.details),
            "title": quote.title[:_TITLE_LENGTH],
            "seen_unit_minor": quote.unit_prices[cart.currency].minor,
        },
    )
    return line


def _note_use(cart: Cart) -> None:
    """Guests' carts are deleted when they have not been used for long."""
    if cart.user_id is None:
        cart.save(update_fields=["updated_at"])


def _line_of(cart: Cart, item: Item) -> CartLine | None:
    return cart.lines.filter(domain=item.domain, reference=item.reference).first()


def _with_details_of(line: CartLine | None, item: Item) -> Item:
    """The item with what was chosen for it before, where nothing is said now: adding again must not drop names."""
    return replace(item, details=line.details) if line and not item.details else item


def _refuse_quantity(quantity: int, quote: Quote) -> None:
    if 1 <= quantity <= quote.quantity_limit:
        return
    if quote.quantity_limit <= 0:
        raise NotForSale("This is sold out.")
    raise NotForSale(f"You can have between 1 and {quote.quantity_limit} of this.")


def _refuse_more_than_fits(cart: Cart, item: Item) -> None:
    others = cart.lines.exclude(domain=item.domain, reference=item.reference).count()
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
