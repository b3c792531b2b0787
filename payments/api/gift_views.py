"""The endpoint on which a person redeems a gift."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import INVALID, NOT_SIGNED_IN, Problem, Refused
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope
from payments.gifts.redeeming import CannotRedeem, GiftUnknown, redeem_gift
from payments.guessing import RETRY_AFTER_SECONDS, may_try_codes, record_wrong_guess
from payments.models import Gift
from payments.registry import handler_for

GIFT_REFUSED = Problem("gift-refused", 422, "This gift cannot be redeemed.", "Show the person `detail`.")
_KIND = "gift_code"


class RedeemSent(serializers.Serializer[Any]):
    """The code of a gift."""

    code = serializers.CharField(max_length=100, help_text="With or without hyphens, in capitals or not.")


class RedeemedAnswer(serializers.Serializer[Any]):
    """What the gift was."""

    domain = serializers.CharField()
    reference = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    giver = serializers.CharField(help_text="The name of the person who gave it.")
    message = serializers.CharField(allow_blank=True)
    redeemed_at = serializers.DateTimeField()
    url = serializers.URLField(help_text="Where the person finds what they were given.")


class RedeemGift(Endpoint):
    """Redeems a gift for the caller."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}

    @extend_schema(
        operation_id="gift_redeem",
        parameters=[key_parameter(required=True)],
        request=RedeemSent,
        responses=answers(RedeemedAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, GIFT_REFUSED, *KEY_PROBLEMS),
    )
    def post(self, request: Request) -> Response:
        """Redeem a gift for your own account. A repeat answers the same."""
        try:
            answer: Response = self._redeem(request)
        except Refused as refusal:
            # Here, because the transaction that was refused takes back what it wrote.
            if isinstance(refusal.__cause__, GiftUnknown):
                record_wrong_guess(request._request, _KIND)  # noqa: SLF001  # allauth counts Django's requests
            raise
        return answer

    @once()
    def _redeem(self, request: Request) -> Response:
        sent = read_body(RedeemSent, request)
        if not may_try_codes(request._request, _KIND):  # noqa: SLF001
            raise Throttled(wait=RETRY_AFTER_SECONDS)
        try:
            gift = redeem_gift(text=sent["code"], user=caller(request))
        except CannotRedeem as refusal:
            raise Refused(GIFT_REFUSED, detail=str(refusal)) from refusal
        return Response(RedeemedAnswer(_describe(gift)).data)


def _describe(gift: Gift) -> dict[str, Any]:
    line = gift.line
    return {
        "domain": line.domain,
        "reference": line.reference,
        "title": line.title,
        "description": line.description,
        "giver": line.order.user.display_name,
        "message": gift.message,
        "redeemed_at": gift.redeemed_at,
        "url": f"{settings.BASE_URL}{handler_for(line.domain).delivery_url(line.as_sold())}",
    }
