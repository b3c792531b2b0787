"""The cart of a request's visitor: a user's own, or a guest's, whose id the session holds until they sign in."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from catalogue.currencies import display_currency
from payments.cart import add_to_cart, merge_guest_cart
from payments.contracts import Item, NotForSale
from payments.models import Cart, CartLine

_SESSION_KEY = "cart_id"


class TooManyGuestCarts(NotForSale):
    """The visitor's network address has created too many guest carts."""

    def __init__(self) -> None:
        super().__init__("Too many carts were started from your network. Please sign in, or try again in an hour.")


def cart_of(request: HttpRequest) -> Cart | None:
    """The visitor's cart, if there is one. Creates nothing."""
    if request.user.is_authenticated:
        return Cart.objects.filter(user_id=request.user.pk).first()
    return _guest_cart(request.session.get(_SESSION_KEY))


def add_for_visitor(request: HttpRequest, item: Item) -> CartLine:
    """Put an item into the visitor's cart, in the currency they see prices in. Raises as add_to_cart does.

    Also raises TooManyGuestCarts for a guest without a cart, if their address has created too many.
    """
    is_guest = not request.user.is_authenticated
    cart = cart_of(request)
    # Each new cart leaves a row and a session behind, so a program could fill the database with them.
    if is_guest and cart is None and not ratelimit.consume(request, action="guest_cart"):
        raise TooManyGuestCarts
    line = add_to_cart(item, buyer_id=request.user.pk, cart=cart, currency=display_currency(request))
    if is_guest:
        request.session[_SESSION_KEY] = line.cart_id
    return line


def quantity_in_cart(request: HttpRequest, *, domain: str, reference: str) -> int:
    """How many units of an item the visitor's cart holds for themself, gifts aside."""
    cart = cart_of(request)
    lines = cart.lines.filter(domain=domain, reference=reference, gift_key="") if cart else CartLine.objects.none()
    return sum(lines.values_list("quantity", flat=True))


def merge_session_cart(request: HttpRequest, user: AbstractBaseUser) -> list[str]:
    """Merge the session's cart into the user's own; returns the titles of lines that were not moved."""
    guest = _guest_cart(request.session.pop(_SESSION_KEY, None))
    return merge_guest_cart(guest=guest, buyer_id=user.pk) if guest else []


def _guest_cart(cart_id: int | None) -> Cart | None:
    return Cart.objects.filter(pk=cart_id, user=None, payer=None).first() if cart_id else None
