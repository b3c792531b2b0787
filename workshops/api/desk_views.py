"""The participants of a teacher's workshops, for programs."""

from __future__ import annotations

from typing import Any

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
from workshops.models import Registration


class ParticipantAnswer(serializers.Serializer[Any]):
    """A person who has a place at a workshop of the teacher."""

    code = serializers.CharField(help_text="The code of the ticket.")
    workshop = serializers.CharField(help_text="`slug` of the workshop.")
    participant = serializers.CharField()
    buyer = serializers.CharField(help_text="The name of the person who bought the place.")
    order = serializers.CharField(help_text="The number of the order.")
    created_at = serializers.DateTimeField()


class ParticipantQuestion(ListQuestion):
    """Of which workshop."""

    workshop = serializers.SlugField(required=False, help_text="Its `slug`; all of your workshops if left out.")


_PAGE = list_of(ParticipantAnswer, name="ParticipantPage")


@method_decorator(never_cache, name="dispatch")
class ParticipantList(Endpoint):
    """Who comes to a teacher's workshops."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.SALES_READ}

    @extend_schema(
        operation_id="participants",
        parameters=[ParticipantQuestion],
        responses=answers(_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, FORBIDDEN),
    )
    def get(self, request: Request) -> Response:
        """The participants of your workshops, the latest purchase first. Cancelled places are left out."""
        asked = read_query(ParticipantQuestion, request)
        confirmed = Registration.objects.filter(
            workshop__teacher=teaching_caller(request), state=Registration.State.CONFIRMED
        )
        if "workshop" in asked:
            confirmed = confirmed.filter(workshop__slug=asked["workshop"])
        page = answer_page(
            request,
            confirmed.select_related("workshop", "buyer"),
            newest_by="created_at",
            describe=_describe,
            is_in_order_of_key=True,
        )
        return Response(_PAGE(page).data)


def _describe(ticket: Registration) -> dict[str, Any]:
    return {
        "code": ticket.code,
        "workshop": ticket.workshop.slug,
        "participant": ticket.participant_name,
        "buyer": ticket.buyer.display_name,
        "order": ticket.order_number,
        "created_at": ticket.created_at,
    }
