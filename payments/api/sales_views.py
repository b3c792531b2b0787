"""What a teacher sold, for programs."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.lists import ListQuestion, answer_page, list_of
from api.problems import FORBIDDEN, INVALID, NOT_SIGNED_IN
from api.questions import read_query
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, teaching_caller
from integrations.scopes import Scope
from payments.models import Order, OrderLine


class SaleAnswer(serializers.Serializer[Any]):
    """A line of an order that was paid and delivered."""

    id = serializers.IntegerField()
    order = serializers.CharField(help_text="The number of the order.")
    paid_at = serializers.DateTimeField()
    student = serializers.CharField(help_text="The student's name.")
    domain = serializers.CharField()
    reference = serializers.CharField()
    title = serializers.CharField()
    quantity = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[OrderLine.State.FULFILLED, OrderLine.State.REVOKED])
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField(help_text="What the student paid.")
    refunded = serializers.CharField(help_text="How much of it went back.")
    earned = serializers.CharField(help_text="Your share of it, less what was refunded or is disputed.")


class SaleQuestion(ListQuestion):
    """Which sales."""

    order = serializers.SlugField(required=False, help_text="The number of an order; all sales if left out.")


_PAGE = list_of(SaleAnswer, name="SalePage")


@method_decorator(never_cache, name="dispatch")
class SaleList(Endpoint):
    """What a teacher sold."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.SALES_READ}

    @extend_schema(
        operation_id="sales",
        parameters=[SaleQuestion],
        responses=answers(_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, FORBIDDEN),
    )
    def get(self, request: Request) -> Response:
        """Your sales, the latest order first."""
        asked = read_query(SaleQuestion, request)
        sold = OrderLine.objects.filter(
            teacher=teaching_caller(request),
            order__state=Order.State.COMPLETED,
            state__in=[OrderLine.State.FULFILLED, OrderLine.State.REVOKED],
        )
        if "order" in asked:
            sold = sold.filter(order__number=asked["order"])
        page = answer_page(
            request,
            sold.select_related("order__user").annotate(ordered_at=F("order__created_at")),
            newest_by="ordered_at",
            is_in_order_of_key=True,
            describe=_describe,
        )
        return Response(_PAGE(page).data)


def _describe(line: OrderLine) -> dict[str, Any]:
    return {
        "id": line.pk,
        "order": line.order.number,
        "paid_at": line.order.paid_at,
        "student": line.order.user.display_name,
        "domain": line.domain,
        "reference": line.reference,
        "title": line.title,
        "quantity": line.quantity,
        "state": line.state,
        "currency": line.order.currency,
        "amount": line.amount.to_major(),
        "refunded": line.refunded.to_major(),
        "earned": line.share_left.to_major(),
    }
