"""A teacher's desk for programs: requests to answer, proposals to withdraw, lessons to cancel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Teacher
from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import FORBIDDEN, INVALID, NOT_FOUND, NOT_SIGNED_IN, Problem, Refused
from api.questions import read_body, read_query
from api.schema import answers
from bookings.api.desk_serializers import (
    DeclinedAnswer,
    DeskRequestAnswer,
    NoteSent,
    ProposalSent,
    ReasonSent,
    describe_desk_request,
    proposal_from,
)
from bookings.api.serializers import LessonAnswer, describe_lesson
from bookings.api.views import REQUEST_CLOSED
from bookings.appointments import other_appointments_at
from bookings.credits import cancel_for_teacher as cancel_credit_lesson
from bookings.models import Lesson, LessonRequest
from bookings.proposals import ProposalRefused, accept_request, decline_request, lessons_near, withdraw_proposal
from bookings.requests import RequestClosed
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller, teaching_caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope
from payments.api.problems import CANNOT_CANCEL, as_problems
from payments.cancellations.lines import CannotCancel, cancel_for_teacher

PROPOSAL_REFUSED = Problem("proposal-refused", 409, "This cannot be proposed.", "Read `detail`.")
OVERLAPPING = Problem(
    "overlapping", 409, "You have something else at one of these times.", "Choose others, or send `propose_anyway`."
)
_PAGE = list_of(DeskRequestAnswer, name="DeskRequestPage")
_OF_ALL = (NOT_SIGNED_IN, INSUFFICIENT_SCOPE, FORBIDDEN)


class DeskQuestion(ListQuestion):
    """Which requests."""

    state = serializers.ChoiceField(LessonRequest.State.choices, required=False, help_text="All if left out.")


@method_decorator(never_cache, name="dispatch")
class DeskRequestList(Endpoint):
    """What a teacher is asked."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LESSONS_READ}
    links = {
        "GET": [
            Link(name, from_answer(request_id="results/0/id"))
            for name in ("teaching_request", "teaching_request_accept", "teaching_request_decline")
        ]
    }

    @extend_schema(
        operation_id="teaching_requests", parameters=[DeskQuestion], responses=answers(_PAGE, INVALID, *_OF_ALL)
    )
    def get(self, request: Request) -> Response:
        """The requests for lessons that you were asked, newest first."""
        asked = read_query(DeskQuestion, request)
        requests = _addressed_to(teaching_caller(request))
        if "state" in asked:
            requests = requests.filter(state=asked["state"])
        page = answer_page(request, requests, newest_by="created_at", describe=describe_desk_request)
        return Response(_PAGE(page).data)


@method_decorator(never_cache, name="dispatch")
class DeskRequestDetail(Endpoint):
    """One request to a teacher."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LESSONS_READ}

    @extend_schema(operation_id="teaching_request", responses=answers(DeskRequestAnswer, *_OF_ALL, NOT_FOUND))
    def get(self, request: Request, request_id: int) -> Response:
        """One request that you were asked, with the lessons that you proposed."""
        return _answer(_teacher_or_404(request), request_id)


class DeskRequestAccept(Endpoint):
    """Proposes lessons."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LESSONS_WRITE}
    links = {"POST": [Link("lesson_withdraw", from_answer(lesson_id="lessons/0/id"))]}

    @extend_schema(
        operation_id="teaching_request_accept",
        parameters=[key_parameter(required=True)],
        request=ProposalSent,
        responses=answers(
            DeskRequestAnswer,
            INVALID,
            *_OF_ALL,
            NOT_FOUND,
            REQUEST_CLOSED,
            PROPOSAL_REFUSED,
            OVERLAPPING,
            *KEY_PROBLEMS,
        ),
    )
    @once()
    def post(self, request: Request, request_id: int) -> Response:
        """Accept a request by proposing times and a price. The student chooses, and pays."""
        teacher = _teacher_or_404(request, may_be_suspended=False)
        get_object_or_404(_addressed_to(teacher), pk=request_id)
        sent = read_body(ProposalSent, request)
        proposal = proposal_from(sent)
        if not sent["propose_anyway"]:
            _refuse_overlaps(teacher, proposal.slots)
        with _as_problems():
            accept_request(request_id=request_id, teacher=teacher, proposal=proposal)
        return _answer(teacher, request_id)


class DeskRequestDecline(Endpoint):
    """Declines a request."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LESSONS_WRITE}

    @extend_schema(
        operation_id="teaching_request_decline",
        parameters=[key_parameter(required=True)],
        request=NoteSent,
        responses=answers(DeclinedAnswer, INVALID, *_OF_ALL, NOT_FOUND, REQUEST_CLOSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, request_id: int) -> Response:
        """Decline a request. One that was addressed to any teacher goes to the next suitable one."""
        teacher = _teacher_or_404(request, may_be_suspended=False)
        get_object_or_404(_addressed_to(teacher), pk=request_id)
        sent = read_body(NoteSent, request)
        with _as_problems():
            decline_request(request_id=request_id, teacher=teacher, note=sent["note"])
        left = LessonRequest.objects.get(pk=request_id)
        answer = {"id": left.pk, "is_passed_on": left.state != LessonRequest.State.DECLINED}
        return Response(DeclinedAnswer(answer).data)


class LessonWithdraw(Endpoint):
    """Takes a proposed lesson back."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LESSONS_WRITE}

    @extend_schema(
        operation_id="lesson_withdraw",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(LessonAnswer, *_OF_ALL, NOT_FOUND, PROPOSAL_REFUSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, lesson_id: int) -> Response:
        """Withdraw a lesson that you proposed and that is not paid."""
        with _as_problems():
            lesson = withdraw_proposal(lesson_id=lesson_id, teacher=_teacher_or_404(request, may_be_suspended=False))
        return _answer_lesson(lesson.pk)


class LessonCancel(Endpoint):
    """Cancels a paid lesson for its teacher."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LESSONS_WRITE}

    @extend_schema(
        operation_id="lesson_cancel",
        parameters=[key_parameter(required=True)],
        request=ReasonSent,
        responses=answers(LessonAnswer, INVALID, *_OF_ALL, NOT_FOUND, CANNOT_CANCEL, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, lesson_id: int) -> Response:
        """Cancel a lesson that you give. The student gets back all that was paid for it, or the lesson credit; students cancel by order line."""
        teacher = _teacher_or_404(request)
        lesson = get_object_or_404(Lesson, pk=lesson_id, teacher=teacher)
        sent = read_body(ReasonSent, request)
        with as_problems():
            if not lesson.is_confirmed or lesson.ends_at <= timezone.now():
                raise CannotCancel("This lesson cannot be cancelled.")
            _cancel(lesson, reason=sent["reason"], by=teacher)
        return _answer_lesson(lesson.pk)


def _cancel(lesson: Lesson, *, reason: str, by: Teacher) -> None:
    if lesson.order_line_id is None:
        cancel_credit_lesson(lesson_id=lesson.pk, reason=f"Cancelled by the teacher: {reason}")
    else:
        cancel_for_teacher(line_id=lesson.order_line_id, reason=reason, requested_by_id=by.user_id)


def _teacher_or_404(request: Request, *, may_be_suspended: bool = True) -> Teacher:
    """The teacher who asks about one thing. To others there is nothing here, as on the pages."""
    if not Teacher.objects.filter(user_id=caller(request).pk).exists():
        raise Http404
    return teaching_caller(request, may_be_suspended=may_be_suspended)


def _addressed_to(teacher: Teacher) -> Any:
    lessons = Prefetch("lessons", Lesson.objects.for_pages())
    addressed = LessonRequest.objects.filter(teacher=teacher)
    return addressed.select_related("student", "subject").prefetch_related(lessons)


def _answer(teacher: Teacher, request_id: int) -> Response:
    found = get_object_or_404(_addressed_to(teacher), pk=request_id)
    return Response(DeskRequestAnswer(describe_desk_request(found)).data)


def _answer_lesson(lesson_id: int) -> Response:
    return Response(LessonAnswer(describe_lesson(Lesson.objects.for_pages().get(pk=lesson_id))).data)


def _refuse_overlaps(teacher: Teacher, slots: Any) -> None:
    """Refuse times at which the teacher has something else, as the page asks about them."""
    titles = [lesson.title for lesson in lessons_near(teacher, slots)]
    titles += [one.title for one in other_appointments_at(teacher, slots)]
    if titles:
        raise Refused(OVERLAPPING, detail=f"At one of these times: {', '.join(titles)}.")


@contextmanager
def _as_problems() -> Iterator[None]:
    """Turn the exceptions of the desk's functions into answers."""
    try:
        yield
    except (LessonRequest.DoesNotExist, Lesson.DoesNotExist) as unknown:
        raise Http404 from unknown
    except RequestClosed as closed:
        raise Refused(REQUEST_CLOSED, detail=str(closed)) from closed
    except ProposalRefused as refusal:
        raise Refused(PROPOSAL_REFUSED, detail=str(refusal)) from refusal
