"""The tickets that a person bought."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.scopes import Scope
from workshops.models import Registration


class SessionAnswer(serializers.Serializer[Any]):
    """One period of a workshop."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class RegistrationAnswer(serializers.Serializer[Any]):
    """A place at a workshop."""

    code = serializers.CharField(help_text="The code of the ticket.")
    state = serializers.ChoiceField(choices=[Registration.State.CONFIRMED, Registration.State.REVOKED])
    workshop = serializers.CharField(help_text="`slug` of the workshop.")
    title = serializers.CharField()
    participant = serializers.CharField()
    order = serializers.CharField(help_text="The number of the order.")
    is_online = serializers.BooleanField()
    place = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    online_url = serializers.CharField(allow_blank=True, help_text="Empty for a place that was cancelled.")
    sessions = SessionAnswer(many=True)
    created_at = serializers.DateTimeField()
    url = serializers.URLField()


_PAGE = list_of(RegistrationAnswer, name="RegistrationPage")


@method_decorator(never_cache, name="dispatch")
class RegistrationList(Endpoint):
    """The places a person bought."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LEARNING_READ}
    links = {
        "GET": [
            Link("workshop_registration", from_answer(code="results/0/code")),
            Link("order", from_answer(number="results/0/order")),
        ]
    }

    @extend_schema(
        operation_id="workshop_registrations",
        parameters=[ListQuestion],
        responses=answers(_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """Your places at workshops, the latest purchase first; cancelled ones included."""
        page = answer_page(request, _own(request), newest_by="created_at", describe=_describe)
        return Response(_PAGE(page).data)


@method_decorator(never_cache, name="dispatch")
class RegistrationDetail(Endpoint):
    """One place."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LEARNING_READ}

    @extend_schema(
        operation_id="workshop_registration",
        responses=answers(RegistrationAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND),
    )
    def get(self, request: Request, code: str) -> Response:
        """One place that you bought."""
        return Response(RegistrationAnswer(_describe(get_object_or_404(_own(request), code=code))).data)


def _own(request: Request) -> Any:
    """A held place is not a ticket yet."""
    delivered = [Registration.State.CONFIRMED, Registration.State.REVOKED]
    own = Registration.objects.filter(buyer=caller(request), state__in=delivered, is_gift_waiting=False)
    return own.select_related("workshop").prefetch_related("workshop__sessions")


def _describe(ticket: Registration) -> dict[str, Any]:
    workshop = ticket.workshop
    return {
        "code": ticket.code,
        "state": ticket.state,
        "workshop": workshop.slug,
        "title": workshop.title,
        "participant": ticket.participant_name,
        "order": ticket.order_number,
        "is_online": workshop.is_online,
        "place": workshop.place,
        "address": workshop.address,
        "online_url": workshop.online_url if ticket.state == Registration.State.CONFIRMED else "",
        "sessions": [{"starts_at": one.starts_at, "ends_at": one.ends_at} for one in workshop.sessions.all()],
        "created_at": ticket.created_at,
        "url": f"{settings.BASE_URL}{ticket.get_absolute_url()}",
    }
