"""A student's requests for lessons, and the lessons of students and teachers."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import Prefetch, Q, Subquery
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Teacher
from api.forms import refuse_invalid
from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN, Problem, Refused
from api.questions import read_body, read_query
from api.schema import answers
from bookings.api.serializers import (
    LessonAnswer,
    RequestAnswer,
    RequestSent,
    describe_for,
    describe_lesson,
    describe_request,
)
from bookings.credits import CreditNotUsable, confirm_with_credit
from bookings.forms.requests import RequestForm
from bookings.models import Lesson, LessonRequest
from bookings.requests import RequestClosed, RequestRefused, request_lessons, withdraw_request
from catalogue.models import Subject
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope

REQUEST_REFUSED = Problem("request-refused", 409, "The request cannot be made.", "Read `detail`.")
CREDIT_NOT_USABLE = Problem(
    "credit-not-usable", 409, "A lesson credit cannot confirm this lesson.", "Read `detail`, or pay for the lesson."
)
REQUEST_CLOSED = Problem("request-closed", 409, "The request is answered already.", "Read the request again.")
_LESSON_PAGE = list_of(LessonAnswer, name="LessonPage")
_REQUEST_PAGE = list_of(RequestAnswer, name="RequestPage")


class LessonQuestion(ListQuestion):
    """Whose lessons."""

    role = serializers.ChoiceField(["student", "teacher"], default="student", help_text="Lessons you take, or give.")


@method_decorator(never_cache, name="dispatch")
class RequestList(Endpoint):
    """What a student asked for."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LESSONS_READ, "POST": Scope.LESSONS_WRITE}
    links = {
        "GET": [
            Link("lesson_request", from_answer(request_id="results/0/id")),
            Link("lesson_request_withdraw", from_answer(request_id="results/0/id")),
        ],
        "POST": [
            Link("lesson_request", from_answer(request_id="id")),
            Link("lesson_request_withdraw", from_answer(request_id="id")),
        ],
    }

    @extend_schema(
        operation_id="lesson_requests",
        parameters=[ListQuestion],
        responses=answers(_REQUEST_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """Your requests, newest first."""
        describe = partial(describe_request, describe=describe_for(caller(request).pk))
        page = answer_page(request, _own_requests(request), newest_by="created_at", describe=describe)
        return Response(_REQUEST_PAGE(page).data)

    @extend_schema(
        operation_id="lesson_request_make",
        parameters=[key_parameter(required=True)],
        request=RequestSent,
        responses=answers(
            RequestAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, REQUEST_REFUSED, *KEY_PROBLEMS
        ),
    )
    @once()
    def post(self, request: Request) -> Response:
        """Ask one teacher, or any suitable one, for lessons."""
        sent = read_body(RequestSent, request)
        teacher = _teacher(sent.pop("teacher", None))
        form = _form_of(sent, teacher)
        try:
            made = request_lessons(student=caller(request), wish=form.wish, teacher=teacher)
        except RequestRefused as refusal:
            raise Refused(REQUEST_REFUSED, detail=str(refusal)) from refusal
        return _answer(request, made.pk)


@method_decorator(never_cache, name="dispatch")
class RequestDetail(Endpoint):
    """One request."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LESSONS_READ}

    @extend_schema(
        operation_id="lesson_request", responses=answers(RequestAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND)
    )
    def get(self, request: Request, request_id: int) -> Response:
        """One request of your own, with the lessons that were proposed."""
        return _answer(request, request_id)


class RequestWithdraw(Endpoint):
    """Takes a request back."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LESSONS_WRITE}

    @extend_schema(
        operation_id="lesson_request_withdraw",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(RequestAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, REQUEST_CLOSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, request_id: int) -> Response:
        """Withdraw an open request of your own."""
        own = get_object_or_404(_own_requests(request), pk=request_id)
        try:
            withdraw_request(request_id=own.pk, student=caller(request))
        except RequestClosed as closed:
            raise Refused(REQUEST_CLOSED, detail=str(closed)) from closed
        return _answer(request, own.pk)


@method_decorator(never_cache, name="dispatch")
class LessonList(Endpoint):
    """Lessons that a person takes or gives."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LESSONS_READ}
    links = {
        "GET": [
            Link("lesson", from_answer(lesson_id="results/0/id")),
            Link("lesson_withdraw", from_answer(lesson_id="results/0/id")),
            Link("lesson_cancel", from_answer(lesson_id="results/0/id")),
            Link("lesson_use_credit", from_answer(lesson_id="results/0/id")),
            Link("cart_line_add", body=from_answer(domain="results/0/domain", reference="results/0/reference")),
        ]
    }

    @extend_schema(
        operation_id="lessons",
        parameters=[LessonQuestion],
        responses=answers(_LESSON_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """Your lessons, proposed ones included, the latest proposal first."""
        is_student = read_query(LessonQuestion, request)["role"] == "student"
        # The teacher by their key: over a join, no index has the lessons in this order.
        teacher = Teacher.objects.filter(user=caller(request)).values("pk")[:1]
        mine = Q(student=caller(request)) if is_student else Q(teacher=Subquery(teacher))
        lessons = Lesson.objects.for_pages().filter(mine)
        page = answer_page(request, lessons, newest_by="proposed_at", describe=describe_for(caller(request).pk))
        return Response(_LESSON_PAGE(page).data)


@method_decorator(never_cache, name="dispatch")
class LessonDetail(Endpoint):
    """One lesson."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LESSONS_READ}

    @extend_schema(operation_id="lesson", responses=answers(LessonAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND))
    def get(self, request: Request, lesson_id: int) -> Response:
        """One lesson that you take or give."""
        mine = Q(student=caller(request)) | Q(teacher__user=caller(request))
        lesson = get_object_or_404(Lesson.objects.for_pages().filter(mine), pk=lesson_id)
        return Response(LessonAnswer(describe_for(caller(request).pk)(lesson)).data)


class LessonUseCredit(Endpoint):
    """Confirms a lesson with a lesson credit."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LESSONS_WRITE}

    @extend_schema(
        operation_id="lesson_use_credit",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(LessonAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, CREDIT_NOT_USABLE, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, lesson_id: int) -> Response:
        """Confirm a lesson that was proposed to you with a lesson credit of your plan, without paying."""
        own = get_object_or_404(Lesson, pk=lesson_id, student=caller(request))
        try:
            lesson = confirm_with_credit(lesson_id=own.pk, student_id=own.student_id)
        except CreditNotUsable as refusal:
            raise Refused(CREDIT_NOT_USABLE, detail=str(refusal)) from refusal
        return Response(LessonAnswer(describe_lesson(lesson)).data)


def _own_requests(request: Request) -> Any:
    lessons = Prefetch("lessons", Lesson.objects.for_pages())
    own = LessonRequest.objects.filter(student=caller(request))
    return own.select_related("teacher", "subject").prefetch_related(lessons)


def _answer(request: Request, request_id: int) -> Response:
    found = get_object_or_404(_own_requests(request), pk=request_id)
    described = describe_request(found, describe=describe_for(caller(request).pk))
    return Response(RequestAnswer(described).data)


def _teacher(slug: str | None) -> Teacher | None:
    if slug is None:
        return None
    return get_object_or_404(Teacher.objects.select_related("user"), slug=slug, status=Teacher.Status.APPROVED)


def _form_of(sent: dict[str, Any], teacher: Teacher | None) -> RequestForm:
    """The site's own form, filled with what was sent: it knows which subjects and regions there are."""
    subject = Subject.objects.filter(slug=sent["subject"]).values_list("pk", flat=True).first()
    form = RequestForm({**sent, "subject": subject}, teacher=teacher)
    refuse_invalid(form)
    return form
