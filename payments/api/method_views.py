"""The endpoints of saved cards and accounts: list, remove, choose the default, and pay the cart with one."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.links import Link, from_answer
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, Claim, once_over_transactions
from integrations.schema import key_parameter
from integrations.scopes import Scope
from payments.api.checkout_serializers import ChargeSent, CheckoutAnswer, PaymentMethodsAnswer
from payments.api.checkout_views import continue_interrupted, describe_payment, fill_cart
from payments.api.problems import CARD_DECLINED, CARD_UNUSABLE, OF_CHECKOUT, STRIPE_SILENT, as_problems
from payments.checkout import SavedCard, start_checkout
from payments.models import Cart, Payment, PaymentMethod
from payments.pricing import price_cart
from payments.return_addresses import own_return_url
from payments.saved_cards.changes import make_default, remove_method
from payments.saved_cards.choosing import MethodUnknown, card_to_charge, method_of, methods_of, refresh_for

_CHARGED = answers(
    CheckoutAnswer,
    INVALID,
    NOT_SIGNED_IN,
    INSUFFICIENT_SCOPE,
    NOT_FOUND,
    CARD_DECLINED,
    CARD_UNUSABLE,
    *OF_CHECKOUT,
    *KEY_PROBLEMS,
)
_CHANGED = answers(PaymentMethodsAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, STRIPE_SILENT, *KEY_PROBLEMS)


@method_decorator(never_cache, name="dispatch")
class PaymentMethods(Endpoint):
    """The cards and accounts that the caller saved."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}
    links = {
        "GET": [
            Link("payment_method_default", from_answer(method_id="payment_methods/0/id")),
            Link("payment_method_remove", from_answer(method_id="payment_methods/0/id")),
            Link("process_payment", body=from_answer(payment_method="payment_methods/0/id")),
        ]
    }

    @extend_schema(
        operation_id="payment_methods", responses=answers(PaymentMethodsAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE)
    )
    def get(self, request: Request) -> Response:
        """Your saved cards and accounts, the default first."""
        refresh_for(request.user.pk)
        return _answer(request)


class PaymentMethodDetail(Endpoint):
    """One of the cards and accounts that the caller saved."""

    permission_classes = (IsAuthenticated,)
    scopes = {"DELETE": Scope.PURCHASES_WRITE}
    claim: Claim

    @extend_schema(
        operation_id="payment_method_remove",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=_CHANGED,
    )
    @once_over_transactions()
    def delete(self, request: Request, method_id: str) -> Response:
        """Remove a saved card or account; answers what is left."""
        with as_problems():
            remove_method(_own_method(request, method_id))
        return _answer(request)


class PaymentMethodDefault(Endpoint):
    """Which of the saved cards and accounts is used where none is chosen."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    claim: Claim

    @extend_schema(
        operation_id="payment_method_default",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=_CHANGED,
    )
    @once_over_transactions()
    def post(self, request: Request, method_id: str) -> Response:
        """Make a saved card or account the default."""
        with as_problems():
            try:
                make_default(_own_method(request, method_id))
            except PaymentMethod.DoesNotExist as gone:
                raise Http404 from gone
        return _answer(request)


class ProcessPayment(Endpoint):
    """Pays the cart with a saved card."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    claim: Claim

    @extend_schema(
        operation_id="process_payment",
        parameters=[key_parameter(required=False)],
        request=ChargeSent,
        responses=_CHARGED,
    )
    @once_over_transactions(is_key_required=False)
    def post(self, request: Request) -> Response:
        """Order what the cart holds and charge a saved card. While `status` is `open`, send the student to `url`."""
        sent = read_body(ChargeSent, request)
        with as_problems():
            payment = continue_interrupted(self.claim) or _charge(caller(request), sent, self.claim)
        return Response(CheckoutAnswer(describe_payment(payment)).data)


def _charge(user: User, wanted: dict[str, Any], claim: Claim) -> Payment:
    try:
        method = card_to_charge(user.pk, wanted["payment_method"])
    except MethodUnknown as unknown:
        raise Http404 from unknown
    if "items" in wanted:
        fill_cart(user, wanted["items"])
    cart = Cart.objects.filter(user_id=user.pk).first()
    return start_checkout(
        user=user,
        cart=cart,
        agreed_digest=wanted.get("agreed") or (price_cart(cart).digest if cart else ""),
        way=SavedCard(method=method, return_url=wanted.get("return_url") or own_return_url()),
        record=lambda payment_id: claim.record(str(payment_id)),
    )


def _own_method(request: Request, method_id: str) -> PaymentMethod:
    try:
        return method_of(request.user.pk, method_id)
    except MethodUnknown as unknown:
        raise Http404 from unknown


def _answer(request: Request) -> Response:
    methods = [_describe(method) for method in methods_of(request.user.pk)]
    return Response(PaymentMethodsAnswer({"payment_methods": methods}).data)


def _describe(method: PaymentMethod) -> dict[str, Any]:
    expires = f"{method.expires_year}-{method.expires_month:02}" if method.expires_month else None
    return {
        "id": method.stripe_payment_method_id,
        "kind": method.kind,
        "label": method.label,
        "brand": method.name,
        "last_four": method.last_four,
        "expires": expires,
        "has_expired": method.has_expired,
        "expires_soon": method.expires_soon,
        "is_default": method.is_default,
        "can_pay_at_once": method.kind == "card" and not method.has_expired,
    }
