"""A teacher's payouts, and requesting one."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Teacher
from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import FORBIDDEN, INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope
from money import Money
from money.amounts import InvalidAmount
from payments.api.problems import PAYOUT_REFUSED, as_problems
from payments.models import Payout
from payments.models.payout import STATUS_CHOICES
from payments.payouts.requests import request_payout

_AMOUNT = re.compile(r"^[0-9]{1,9}(\.[0-9]{1,3})?\Z")


class PayoutSent(serializers.Serializer[Any]):
    """How much to pay out. Validated, it holds `currency` and, if one was given, the amount as `money`."""

    amount = serializers.RegexField(_AMOUNT, required=False, help_text="All that is available if left out.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the currency."""
        return super().get_fields() | {"currency": serializers.ChoiceField(settings.CURRENCIES)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the amount in its currency."""
        if "amount" not in attrs:
            return {"currency": attrs["currency"], "money": None}
        try:
            return {"currency": attrs["currency"], "money": Money.from_major(attrs["amount"], attrs["currency"])}
        except InvalidAmount as error:
            raise serializers.ValidationError({"amount": f"{attrs['currency']} has fewer decimals."}) from error


class PayoutAnswer(serializers.Serializer[Any]):
    """One payout."""

    reference = serializers.UUIDField()
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    returned = serializers.CharField(help_text="How much of it came back after it was paid.")
    status = serializers.ChoiceField(choices=STATUS_CHOICES)
    requested_at = serializers.DateTimeField()


def _describe(payout: Payout) -> dict[str, Any]:
    return {
        "reference": payout.reference,
        "currency": payout.currency,
        "amount": payout.amount.to_major(),
        "returned": payout.returned.to_major(),
        "status": payout.status,
        "requested_at": payout.requested_at,
    }


class PayoutList(Endpoint):
    """A teacher's payouts."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.EARNINGS_READ, "POST": Scope.PAYOUTS_WRITE}
    links = {
        "GET": [Link("payout", from_answer(reference="results/0/reference"))],
        "POST": [Link("payout", from_answer(reference="reference"))],
    }

    @extend_schema(
        operation_id="payouts",
        parameters=[ListQuestion],
        responses=answers(list_of(PayoutAnswer, name="PayoutPage"), INVALID, NOT_SIGNED_IN, FORBIDDEN),
    )
    @method_decorator(never_cache)
    def get(self, request: Request) -> Response:
        """Your payouts, newest first."""
        payouts = Payout.objects.filter(teacher=_teacher(request))
        page = answer_page(request, payouts, newest_by="requested_at", describe=_describe)
        return Response(list_of(PayoutAnswer, name="PayoutPage")(page).data)

    @extend_schema(
        operation_id="payout_request",
        parameters=[key_parameter(required=True)],
        request=PayoutSent,
        responses=answers(PayoutAnswer, INVALID, NOT_SIGNED_IN, FORBIDDEN, PAYOUT_REFUSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request) -> Response:
        """Request a payout of an amount, or of all that is available, to your Stripe account. Staff decide on it."""
        teacher = _teacher(request)
        if not teacher.is_approved:
            raise PermissionDenied("You cannot be paid out at the moment. Please write to us.")
        wanted = read_body(PayoutSent, request)
        with as_problems():
            payout = request_payout(
                teacher=teacher,
                currency=wanted["currency"],
                amount=wanted["money"],
                requested_by_id=caller(request).pk,
            )
        return Response(PayoutAnswer(_describe(payout)).data)


@method_decorator(never_cache, name="dispatch")
class PayoutDetail(Endpoint):
    """One payout of the teacher."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.EARNINGS_READ}

    @extend_schema(operation_id="payout", responses=answers(PayoutAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND))
    def get(self, request: Request, reference: uuid.UUID) -> Response:
        """One payout of your own."""
        payout = get_object_or_404(Payout, reference=reference, teacher__user_id=caller(request).pk)
        return Response(PayoutAnswer(_describe(payout)).data)


def _teacher(request: Request) -> Teacher:
    teacher = Teacher.objects.select_related("user").filter(user_id=caller(request).pk).first()
    if teacher is None:
        raise PermissionDenied("Only teachers have payouts.")
    return teacher
