"""The endpoint that tells what a discount code takes off, before anything is paid."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import FORBIDDEN, INVALID, Problem, problem_response
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import Endpoint, require_scope
from integrations.scopes import Scope
from money import Money
from payments.api.discount_serializers import DiscountAnswer, DiscountQuestion
from payments.discounts.cart_codes import CodeRefused, CodeUnknown, price_with_code
from payments.guessing import RETRY_AFTER_SECONDS, may_try_codes, record_wrong_guess
from payments.pricing import PricedCart
from payments.visitor_cart import cart_of

DISCOUNT_REFUSED = Problem(
    "discount-refused", 422, "This code takes nothing off.", "Show the buyer `detail`, or try without the code."
)
_EXAMPLE = {
    "valid": True,
    "code": "SPRING-10",
    "currency": "GBP",
    "discount": "4.50",
    "subtotal": "45.00",
    "total": "40.50",
    "problem": "",
    "lines": [
        {"domain": "courses", "reference": "12", "amount": "45.00", "discount": "4.50", "total": "40.50"},
    ],
}


@method_decorator(never_cache, name="dispatch")
class ValidateDiscount(Endpoint):
    """What a code takes off the caller's cart, beside the codes it has, or off the items named. Changes nothing."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="validate_discount",
        request=DiscountQuestion,
        responses=answers(DiscountAnswer, INVALID, FORBIDDEN, DISCOUNT_REFUSED),
        examples=[OpenApiExample("A code for a tenth", value=_EXAMPLE, response_only=True, status_codes=["200"])],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Try a code. What it says is no promise: limits may be used up before the order is placed."""
        # It tells what is in the cart.
        require_scope(request, Scope.PURCHASES_READ)
        sent = read_body(DiscountQuestion, request)
        if not may_try_codes(request._request):  # noqa: SLF001  # allauth counts Django's requests
            raise Throttled(wait=RETRY_AFTER_SECONDS)
        try:
            return Response(DiscountAnswer(self._answer(request, sent)).data)
        except CodeUnknown as unknown:
            record_wrong_guess(request._request)  # noqa: SLF001
            return problem_response(DISCOUNT_REFUSED, detail=str(unknown))
        except CodeRefused as refusal:
            return problem_response(DISCOUNT_REFUSED, detail=str(refusal))

    def _answer(self, request: Request, question: dict[str, Any]) -> dict[str, Any]:
        items = question["items"]
        cart = None if items else cart_of(request._request)  # noqa: SLF001
        if cart is None and not items:
            raise CodeRefused("Your cart is empty.")
        priced, applied = price_with_code(
            text=question["code"],
            cart=cart,
            items=items,
            buyer_id=request.user.pk,
            currency=question.get("currency", settings.DEFAULT_CURRENCY),
        )
        zero = Money.zero(priced.currency)
        total = priced.total or zero
        return {
            "valid": True,
            "code": applied.code.code,
            "currency": priced.currency,
            "discount": applied.amount.to_major(),
            "subtotal": (priced.subtotal or total).to_major(),
            "total": total.to_major(),
            "problem": priced.problem,
            "lines": list(_lines(priced)),
        }


def _lines(priced: PricedCart) -> list[dict[str, Any]]:
    zero = Money.zero(priced.currency)
    return [
        {
            "domain": line.line.domain,
            "reference": line.line.reference,
            "amount": line.list_amount.to_major(),
            "discount": (line.discount or zero).to_major(),
            "total": (line.amount or zero).to_major(),
        }
        for line in priced.lines
        if line.list_amount and not line.problem
    ]
