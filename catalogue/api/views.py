"""Subjects, teachers and listings, as the pages show them to everyone."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.folding import by_name
from accounts.models import Teacher
from api.forms import refuse_invalid
from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import INVALID, NOT_FOUND
from api.schema import answers
from catalogue.api.serializers import (
    ListingAnswer,
    SubjectsAnswer,
    TeacherAnswer,
    describe_listing,
    describe_subject,
    describe_teacher,
)
from catalogue.browsing import find_listings
from catalogue.forms import BrowseForm
from catalogue.models import Listing, Subject
from integrations.endpoints import Endpoint

_LISTING_PAGE = list_of(ListingAnswer, name="ListingPage")
_TEACHER_PAGE = list_of(TeacherAnswer, name="TeacherPage")
_FILTERS = {
    "q": "Words to search for.",
    "kind": "The `domain`.",
    "subject": "The `slug` of a subject.",
    "level": "beginner, intermediate or advanced.",
    "where": "online or in-person.",
    "place": "A town or place.",
    "from_date": "The first day, such as 2027-01-31.",
    "to_date": "The last day.",
    "currency": "Only what is sold in it; prices are compared in it.",
    "min_price": "The lowest price.",
    "max_price": "The highest price.",
    "language": "ISO 639 code.",
    "teacher": "The name of a teacher.",
}


class SubjectList(Endpoint):
    """What is taught."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="subjects", responses=answers(SubjectsAnswer))
    def get(self, _request: Request) -> Response:
        """All subjects, by name."""
        subjects = sorted(Subject.objects.select_related("broader"), key=lambda subject: by_name(subject.name))
        answer: Any = {"results": [describe_subject(subject) for subject in subjects]}
        return Response(SubjectsAnswer(answer).data)


class TeacherList(Endpoint):
    """Who teaches."""

    permission_classes = (AllowAny,)
    links = {"GET": [Link("teacher", from_answer(slug="results/0/slug"))]}

    @extend_schema(operation_id="teachers", parameters=[ListQuestion], responses=answers(_TEACHER_PAGE, INVALID))
    def get(self, request: Request) -> Response:
        """The teachers of the site, the latest to apply first."""
        page = answer_page(request, _teachers(), newest_by="applied_at", describe=describe_teacher)
        return Response(_TEACHER_PAGE(page).data)


class TeacherDetail(Endpoint):
    """One teacher."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="teacher", responses=answers(TeacherAnswer, NOT_FOUND))
    def get(self, _request: Request, slug: str) -> Response:
        """One teacher's page."""
        return Response(TeacherAnswer(describe_teacher(get_object_or_404(_teachers(), slug=slug))).data)


class ListingList(Endpoint):
    """What is offered."""

    permission_classes = (AllowAny,)
    links = {
        "GET": [
            Link("listing", from_answer(domain="results/0/domain", reference="results/0/reference")),
            Link("cart_line_add", body=from_answer(domain="results/0/domain", reference="results/0/reference")),
        ]
    }

    @extend_schema(
        operation_id="listings",
        parameters=[
            *(OpenApiParameter(name, str, description=text) for name, text in _FILTERS.items()),
            ListQuestion,
        ],
        responses=answers(_LISTING_PAGE, INVALID),
    )
    def get(self, request: Request) -> Response:
        """What matches the filters, the latest first. The filters are those of the browse page."""
        currency = request.query_params.get("currency", "")
        is_known = currency in settings.CURRENCIES
        form = BrowseForm(request.query_params, display_currency=currency if is_known else settings.DEFAULT_CURRENCY)
        refuse_invalid(form)
        page = answer_page(
            request,
            find_listings(form).listings.for_cards(),
            newest_by="published_at",
            describe=partial(describe_listing, at=timezone.now()),
        )
        return Response(_LISTING_PAGE(page).data)


class ListingDetail(Endpoint):
    """One offer."""

    permission_classes = (AllowAny,)
    links = {
        "GET": [
            Link("cart_line_add", body=from_answer(domain="domain", reference="reference")),
            Link("teacher", from_answer(slug="teacher")),
        ]
    }

    @extend_schema(operation_id="listing", responses=answers(ListingAnswer, NOT_FOUND))
    def get(self, _request: Request, domain: str, reference: str) -> Response:
        """One offer that is on sale."""
        now = timezone.now()
        listing = Listing.objects.shown(now).for_cards().filter(domain=domain, reference=reference).first()
        if listing is None:
            raise Http404
        return Response(ListingAnswer(describe_listing(listing, at=now)).data)


def _teachers() -> Any:
    return Teacher.objects.filter(status=Teacher.Status.APPROVED).prefetch_related("expertises__subject")
