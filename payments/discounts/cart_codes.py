"""Enter codes in a cart, remove them, and move them with its lines.

Lock order: the cart's row, then the payment of its open page, as for its lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from payments.contracts import Item
from payments.discounts.codes import find_code
from payments.discounts.effects import AppliedCode
from payments.models import Cart, CartDiscount, Order
from payments.pricing import PricedCart, price_cart, price_items
from payments.superseding import close_open_page

CODES_AT_MOST = 5


class CodeRefused(Exception):
    """The code takes nothing off this cart. The message is shown to the student."""


class CodeUnknown(CodeRefused):
    """There is no such code."""

    def __init__(self) -> None:
        super().__init__("We do not know this code. Please check how it is written.")


def enter_code(*, cart: Cart, text: str) -> AppliedCode:
    """Put a code into the cart, if it takes something off now; returns what it does. Raises CodeRefused.

    A code that is there already stays there. An open payment page of the cart is closed, since it charges too much.
    """
    with transaction.atomic():
        cart = Cart.objects.select_for_update().get(pk=cart.pk)
        applied = try_code(cart=cart, text=text)
        held = CartDiscount.objects.filter(cart=cart)
        if held.filter(code=applied.code).exists():
            return applied
        if held.count() >= CODES_AT_MOST:
            raise CodeRefused(f"A cart holds {CODES_AT_MOST} codes at most.")
        close_open_page(cart)
        CartDiscount.objects.create(cart=cart, code=applied.code)
    return applied


def try_code(*, cart: Cart, text: str) -> AppliedCode:
    """What a code would take off the cart, beside those it has. Changes nothing. Raises CodeRefused."""
    _, applied = price_with_code(cart=cart, text=text)
    return applied


def price_with_code(
    *, text: str, cart: Cart | None = None, items: Sequence[Item] = (), buyer_id: int | None = None, currency: str = ""
) -> tuple[PricedCart, AppliedCode]:
    """The prices of a cart with one more code, or of items with this code alone. Changes nothing. Raises CodeRefused."""
    code = find_code(text)
    if code is None:
        raise CodeUnknown
    if cart is None:
        priced = price_items(items, buyer_id=buyer_id, currency=currency, code=code)
    else:
        priced = price_cart(cart, trying=code)
    applied = next(each for each in priced.codes if each.code == code)
    if applied.reason:
        raise CodeRefused(applied.reason)
    return priced, applied


def remove_code(*, cart: Cart, code_id: int) -> bool:
    """Remove a code from the cart; False if the cart does not have it."""
    with transaction.atomic():
        cart = Cart.objects.select_for_update().get(pk=cart.pk)
        close_open_page(cart, only_with_code=code_id)
        removed, _ = CartDiscount.objects.filter(cart=cart, code=code_id).delete()
    return bool(removed)


def move_codes(*, guest: Cart, to: Cart) -> None:
    """Move a guest's codes into their own cart. Whether they may use them is looked at when it is shown."""
    codes = CartDiscount.objects.filter(cart=guest).order_by("pk").values_list("code", flat=True)
    _add(to, list(codes))


def restore_codes(order: Order, *, cart: Cart) -> None:
    """Put the codes of an order that was not paid back into the cart."""
    _add(cart, list(order.redemptions.order_by("pk").values_list("code", flat=True)))


def remove_used_codes(order: Order) -> None:
    """Remove the codes that an order used from its cart."""
    CartDiscount.objects.filter(cart=order.cart_id, code__in=order.redemptions.values("code")).delete()


def _add(cart: Cart, codes: Iterable[int]) -> None:
    CartDiscount.objects.bulk_create([CartDiscount(cart=cart, code_id=code) for code in codes], ignore_conflicts=True)
