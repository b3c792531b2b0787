"""The endpoints about a caller's own money: a teacher's balance, and the history of students and teachers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Teacher
from api.cursors import next_address
from api.problems import FORBIDDEN, INVALID, NOT_SIGNED_IN
from api.questions import read_query
from api.schema import answers
from integrations.endpoints import Endpoint, require_scope
from integrations.scopes import Scope
from money import Money
from payments.api.history import page_of_student, page_of_teacher
from payments.api.serializers import BalanceAnswer, BalanceQuestion, HistoryAnswer, HistoryQuestion
from payments.earnings.balances import TeacherBalance, teacher_balances

_FIGURES = {
    "currency": "GBP",
    "total_earned": "180.00",
    "available_balance": "60.00",
    "pending_balance": "90.00",
    "held": "0.00",
    "in_payout": "0.00",
    "withdrawn": "30.00",
}
_OF_STUDENT = {
    "role": "student",
    "next": None,
    "results": [
        {
            "type": "payment",
            "at": "2026-11-30T09:41:00Z",
            "currency": "GBP",
            "amount": "-25.00",
            "status": "succeeded",
            "order": "LG3CHZPFE",
            "description": "",
            "url": "https://lectern.example/my/orders/LG3CHZPFE/",
        }
    ],
}
_OF_TEACHER = {
    "role": "teacher",
    "next": None,
    "results": [
        {
            "type": "sale",
            "at": "2026-11-30T09:41:00Z",
            "currency": "GBP",
            "amount": "22.50",
            "status": "booked",
            "order": "LG3CHZPFE",
            "description": "Piano for beginners",
            "url": None,
        }
    ],
}


@method_decorator(never_cache, name="dispatch")
class BalanceView(Endpoint):
    """What the signed-in teacher has earned, can withdraw and has withdrawn."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.EARNINGS_READ}

    @extend_schema(
        operation_id="balance",
        parameters=[BalanceQuestion],
        responses=answers(BalanceAnswer, INVALID, NOT_SIGNED_IN, FORBIDDEN),
        examples=[OpenApiExample("One currency", value={**_FIGURES, "balances": [_FIGURES]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Your balance as a teacher, in one currency and in all."""
        asked = read_query(BalanceQuestion, request)
        teacher_id = _teacher_id(request)
        if teacher_id is None:
            raise PermissionDenied("Only teachers have a balance.")
        currency = asked.get("currency", settings.DEFAULT_CURRENCY)
        balances = {balance.currency: _figures(balance) for balance in teacher_balances(teacher_id)}
        answer = {**balances.get(currency, _nothing(currency)), "balances": list(balances.values())}
        return Response(BalanceAnswer(answer).data)


def _figures(balance: TeacherBalance) -> dict[str, Any]:
    return {
        "currency": balance.currency,
        "total_earned": balance.earned.to_major(),
        "available_balance": balance.available.to_major(),
        "pending_balance": balance.pending.to_major(),
        "held": balance.held.to_major(),
        "in_payout": balance.in_payout.to_major(),
        "withdrawn": balance.withdrawn.to_major(),
    }


def _nothing(currency: str) -> dict[str, Any]:
    zero = Money.zero(currency)
    return _figures(TeacherBalance(pending=zero, available=zero, held=zero, in_payout=zero, withdrawn=zero))


@method_decorator(never_cache, name="dispatch")
class HistoryView(Endpoint):
    """The caller's payments and refunds; for a teacher, what changed their earnings."""

    permission_classes = (IsAuthenticated,)
    decides_scope = True

    @extend_schema(
        operation_id="history",
        parameters=[HistoryQuestion],
        responses=answers(HistoryAnswer, INVALID, NOT_SIGNED_IN, FORBIDDEN),
        examples=[
            OpenApiExample("Student", value=_OF_STUDENT, response_only=True),
            OpenApiExample("Teacher", value=_OF_TEACHER, response_only=True),
        ],
    )
    def get(self, request: Request) -> Response:
        """Your history, newest first. `next` leads to the page after."""
        asked = read_query(HistoryQuestion, request)
        teacher_id = _teacher_id(request)
        role = asked.get("role") or ("student" if teacher_id is None else "teacher")
        require_scope(request, Scope.PURCHASES_READ if role == "student" else Scope.EARNINGS_READ)
        where: dict[str, Any] = {"cursor": asked["cursor"], "limit": asked["limit"]}
        if role == "student":
            page = page_of_student(request.user.pk or 0, **where)
        elif teacher_id is None:
            raise PermissionDenied("Only teachers have a history of earnings.")
        else:
            page = page_of_teacher(teacher_id, **where)
        answer = {"role": role, "next": next_address(request, page.cursor), "results": page.entries}
        return Response(HistoryAnswer(answer).data)


def _teacher_id(request: Request) -> int | None:
    return Teacher.objects.filter(user_id=request.user.pk or 0).values_list("pk", flat=True).first()
