"""The caller's own orders: what was bought, receipts, and cancelling by the policy frozen at purchase."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.questions import read_body
from api.schema import answers, refusals
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, Claim, once, once_over_transactions
from integrations.schema import key_parameter
from integrations.scopes import Scope
from payments import sessions
from payments.api.order_serializers import (
    CancellationAnswer,
    CancellationSent,
    CancelledAnswer,
    OrderSummary,
    describe_offer,
    describe_order,
)
from payments.api.problems import ALREADY_PAID, CANNOT_CANCEL, OFFER_CHANGED, STRIPE_SILENT, as_problems
from payments.cancellations.lines import cancel_for_student, offer_cancellation, terms_for_student
from payments.documents.receipt import render_receipt
from payments.models import Order, OrderLine
from payments.reasons import BY_STUDENT


@method_decorator(never_cache, name="dispatch")
class OrderList(Endpoint):
    """What the caller bought."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}
    links = {
        "GET": [
            Link("order", from_answer(number="results/0/number")),
            Link("order_cancel", from_answer(number="results/0/number")),
            Link("order_receipt", from_answer(number="results/0/number")),
            Link("line_cancellation", from_answer(line_id="results/0/lines/0/id")),
        ]
    }

    @extend_schema(
        operation_id="orders",
        parameters=[ListQuestion],
        responses=answers(list_of(OrderSummary, name="OrderPage"), INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """Your orders, newest first, those without payment included."""
        page = answer_page(request, _own_orders(request), newest_by="created_at", describe=describe_order)
        return Response(list_of(OrderSummary, name="OrderPage")(page).data)


@method_decorator(never_cache, name="dispatch")
class OrderDetail(Endpoint):
    """One order of the caller."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}
    links = {
        "GET": [
            Link("order_receipt", from_answer(number="number")),
            Link("line_cancellation", from_answer(line_id="lines/0/id")),
        ]
    }

    @extend_schema(operation_id="order", responses=answers(OrderSummary, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND))
    def get(self, request: Request, number: str) -> Response:
        """One order of your own."""
        return _answer(_own_order(request, number))


class OrderCancel(Endpoint):
    """Cancels an order that is not paid."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    claim: Claim

    @extend_schema(
        operation_id="order_cancel",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(
            OrderSummary, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, ALREADY_PAID, STRIPE_SILENT, *KEY_PROBLEMS
        ),
    )
    @once_over_transactions()
    def post(self, request: Request, number: str) -> Response:
        """Cancel an unpaid order: its page is closed and its places are free. What was paid is cancelled by line."""
        order = _own_order(request, number)
        with as_problems():
            if order.is_paid:
                raise sessions.AlreadyPaid(order)
            if payment := order.payments.filter(ended_at=None).first():
                sessions.close_session(payment.pk, reason=BY_STUDENT)
        return _answer(_own_order(request, number))


class _PdfRenderer(BaseRenderer):
    """Lets callers ask for `application/pdf`; the view itself makes it."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None

    def render(self, data: Any, *_: Any, **__: Any) -> Any:
        return data


class OrderReceipt(Endpoint):
    """The receipt of a paid order."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}
    renderer_classes = (_PdfRenderer, JSONRenderer)

    @extend_schema(
        operation_id="order_receipt",
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            **refusals(NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND),
        },
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """The receipt as a PDF, once the order is paid."""
        paid = Order.objects.select_related("user").filter(state=Order.State.COMPLETED)
        order = get_object_or_404(paid, number=number, user_id=caller(request).pk)
        response = HttpResponse(render_receipt(order), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{order.receipt_name}"'
        return response


class LineCancellation(Endpoint):
    """What comes back for cancelling places of a line, and cancelling them."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ, "POST": Scope.PURCHASES_WRITE}
    links = {
        "GET": [
            Link(
                "line_cancel",
                {"line_id": "$request.path.line_id"},
                body={"places": ["$response.body#/places/0/key"], "digest": "$response.body#/digest"},
            )
        ],
        "POST": [Link("order", from_answer(number="order"))],
    }

    @extend_schema(
        operation_id="line_cancellation",
        parameters=[
            OpenApiParameter("place", str, many=True, description="The `key` of each place; all places if left out.")
        ],
        responses=answers(CancellationAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, CANNOT_CANCEL),
    )
    def get(self, request: Request, line_id: int) -> Response:
        """What you get back for cancelling these places now, by the policy that held when you bought them."""
        line = _own_line(request, line_id)
        now = timezone.now()
        with as_problems():
            every = [place.key for place in terms_for_student(line, at=now).places]
            keys = request.query_params.getlist("place") or every
            offer = offer_cancellation(line=line, keys=keys, at=now)
        return Response(CancellationAnswer(describe_offer(offer)).data)

    @extend_schema(
        operation_id="line_cancel",
        parameters=[key_parameter(required=True)],
        request=CancellationSent,
        responses=answers(
            CancelledAnswer,
            INVALID,
            NOT_SIGNED_IN,
            INSUFFICIENT_SCOPE,
            NOT_FOUND,
            CANNOT_CANCEL,
            OFFER_CHANGED,
            *KEY_PROBLEMS,
        ),
    )
    @once()
    def post(self, request: Request, line_id: int) -> Response:
        """Cancel these places and refund what the offer says, unless it has changed since."""
        line = _own_line(request, line_id)
        accepted = read_body(CancellationSent, request)
        with as_problems():
            cancelled = cancel_for_student(line_id=line.pk, keys=accepted["places"], digest=accepted["digest"])
        amount = cancelled.offer.amount
        answer = {"currency": amount.currency, "amount": amount.to_major(), "order": line.order.number}
        return Response(CancelledAnswer(answer).data)


def _own_orders(request: Request) -> QuerySet[Order]:
    return Order.objects.filter(user_id=caller(request).pk).prefetch_related(
        "lines__teacher", "lines__gift", "redemptions__code"
    )


def _own_order(request: Request, number: str) -> Order:
    return get_object_or_404(_own_orders(request), number=number)


def _own_line(request: Request, line_id: int) -> OrderLine:
    paid = OrderLine.objects.filter(order__user_id=caller(request).pk, order__state=Order.State.COMPLETED)
    return get_object_or_404(paid.select_related("order", "teacher"), pk=line_id)


def _answer(order: Order) -> Response:
    return Response(OrderSummary(describe_order(order)).data)
