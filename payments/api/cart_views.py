"""The caller's cart: the same one that the pages show."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.links import Link, from_answer
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope
from payments import cart as carts
from payments.api.cart_serializers import CartAnswer, LineSent, QuantitySent, describe_cart, item_from
from payments.api.problems import OF_CART, as_problems
from payments.models import Cart
from payments.pricing import price_cart

_AFTER_CART = (
    Link("cart_line_change", from_answer(line_id="lines/0/id")),
    Link("cart_line_remove", from_answer(line_id="lines/0/id")),
    Link("create_checkout_session", body=from_answer(agreed="digest")),
)


@method_decorator(never_cache, name="dispatch")
class CartView(Endpoint):
    """What the caller is about to buy."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}
    links = {"GET": _AFTER_CART}

    @extend_schema(operation_id="cart", responses=answers(CartAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE))
    def get(self, request: Request) -> Response:
        """Your cart at current prices."""
        return _answer(request)


class CartLines(Endpoint):
    """Puts things into the cart."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    links = {"POST": _AFTER_CART}

    @extend_schema(
        operation_id="cart_line_add",
        parameters=[key_parameter(required=True)],
        request=LineSent,
        responses=answers(CartAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, *OF_CART, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request) -> Response:
        """Put an item into the cart. Added again, its quantity and details change. Answers the whole cart."""
        sent = read_body(LineSent, request)
        currency = sent.get("currency", settings.DEFAULT_CURRENCY)
        with as_problems():
            carts.add_to_cart(item_from(sent), buyer_id=caller(request).pk, cart=None, currency=currency)
        return _answer(request)


class CartLine(Endpoint):
    """One line of the cart."""

    permission_classes = (IsAuthenticated,)
    scopes = {"PATCH": Scope.PURCHASES_WRITE, "DELETE": Scope.PURCHASES_WRITE}

    @extend_schema(
        operation_id="cart_line_change",
        parameters=[key_parameter(required=False)],
        request=QuantitySent,
        responses=answers(CartAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, *OF_CART, *KEY_PROBLEMS),
    )
    @once(is_key_required=False)
    def patch(self, request: Request, line_id: int) -> Response:
        """Change the quantity. Answers the whole cart, which says if there are not as many places."""
        cart = _own_cart(request, line_id)
        sent = read_body(QuantitySent, request)
        with as_problems():
            is_found = carts.change_quantity(cart=cart, line_id=line_id, **sent)
        if not is_found:
            raise Http404
        return _answer(request)

    @extend_schema(
        operation_id="cart_line_remove",
        parameters=[key_parameter(required=False)],
        request=None,
        responses=answers(CartAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, *KEY_PROBLEMS),
    )
    @once(is_key_required=False)
    def delete(self, request: Request, line_id: int) -> Response:
        """Remove the line. Answers the whole cart."""
        if not carts.remove_line(cart=_own_cart(request, line_id), line_id=line_id):
            raise Http404
        return _answer(request)


def _own_cart(request: Request, line_id: int) -> Cart:
    """The caller's cart, if it has this line."""
    cart = Cart.objects.filter(user_id=caller(request).pk).first()
    if cart is None or not cart.lines.filter(pk=line_id).exists():
        raise Http404
    return cart


def _answer(request: Request) -> Response:
    cart = Cart.objects.filter(user_id=caller(request).pk).first()
    answer: Any = describe_cart(price_cart(cart) if cart else None)
    return Response(CartAnswer(answer).data)
