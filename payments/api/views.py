"""The endpoints."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Teacher
from api.links import Link, from_answer
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.questions import read_query
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint
from integrations.scopes import Scope
from money import split_by_rate
from money.shares import WHOLE_BASIS_POINTS
from payments.api.serializers import CommissionAnswer, CommissionQuestion, PaymentAnswer, PaymentState
from payments.orders import commission_rates
from payments.outcomes import request_look
from payments.sessions import payment_of_session

_SECONDS_BETWEEN_POLLS = {PaymentState.OPEN: 2, PaymentState.PROCESSING: 600}


@method_decorator(never_cache, name="dispatch")
class TestCommission(Endpoint):
    """How the platform would divide a price: with a teacher's own rate for that teacher, else with the usual one."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="test_commission", parameters=[CommissionQuestion], responses=answers(CommissionAnswer, INVALID)
    )
    def get(self, request: Request) -> Response:
        """Divide `amount`, without selling anything."""
        amount = read_query(CommissionQuestion, request)["money"]
        rate = self._rate(request)
        split = split_by_rate(amount, rate)
        answer: dict[str, Any] = {
            "currency": amount.currency,
            "amount": amount.to_major(),
            "platform_fee": split.fee.to_major(),
            "teacher_payout": split.share.to_major(),
            "total": (split.fee + split.share).to_major(),
            "commission_rate": f"{rate / WHOLE_BASIS_POINTS:.4f}",
        }
        return Response(CommissionAnswer(answer).data)

    def _rate(self, request: Request) -> int:
        teacher_id = Teacher.objects.filter(user_id=request.user.pk or 0).values_list("pk", flat=True).first()
        return commission_rates({teacher_id})[teacher_id] if teacher_id else settings.DEFAULT_COMMISSION_BPS


@method_decorator(never_cache, name="dispatch")
class VerifyStatus(Endpoint):
    """How a payment stands, for a page of the caller's own that the student comes back to."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}
    links = {"GET": [Link("order", from_answer(number="order/number"))]}

    @extend_schema(
        operation_id="verify_status",
        parameters=[
            OpenApiParameter(
                "session_id",
                str,
                OpenApiParameter.PATH,
                description="Stripe's id of the session, or of the intent, of your own payment.",
            )
        ],
        responses=answers(PaymentAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND),
    )
    def get(self, request: Request, session_id: str) -> Response:
        """Look up a payment of your own. If no webhook has come, a worker asks Stripe beside it: ask again."""
        payment = payment_of_session(session_id, user_id=request.user.pk)
        if payment is None:
            raise Http404
        request_look(payment)
        status = PaymentState.OPEN if payment.ended_at is None else PaymentState(payment.status)
        answer = {
            "sessionId": payment.stripe_session_id or payment.stripe_payment_intent_id,
            "status": status,
            "currency": payment.currency,
            "amount": payment.amount.to_major(),
            "message": "" if status == PaymentState.SUCCEEDED else payment.failure_message,
            "order": {
                "number": payment.order.number,
                "state": payment.order.state,
                "url": f"{settings.BASE_URL}{payment.order.get_absolute_url()}",
            },
            "poll_after_seconds": _SECONDS_BETWEEN_POLLS.get(status),
        }
        return Response(PaymentAnswer(answer).data)
