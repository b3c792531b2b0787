"""The courses that a student has, and how far they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.urls import reverse
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
from courses.access import access_to, finish_lesson
from courses.models import CourseLesson, Enrolment
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope


class CourseLessonAnswer(serializers.Serializer[Any]):
    """A lesson of a course."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.CharField()
    minutes = serializers.IntegerField()
    is_done = serializers.BooleanField()
    url = serializers.URLField()


class EnrolmentAnswer(serializers.Serializer[Any]):
    """A course that a student bought, or has opened with a plan that still opens it."""

    id = serializers.IntegerField()
    course = serializers.CharField(help_text="`slug` of the course.")
    title = serializers.CharField()
    teacher = serializers.CharField(help_text="`slug` of the teacher.")
    access = serializers.ChoiceField(["purchase", "plan"], help_text="Bought, or opened by your plan.")
    activated_at = serializers.DateTimeField(help_text="When you bought it, or first opened it with your plan.")
    lesson_count = serializers.IntegerField()
    done_count = serializers.IntegerField()
    is_complete = serializers.BooleanField()
    lessons = CourseLessonAnswer(many=True)
    url = serializers.URLField()


_PAGE = list_of(EnrolmentAnswer, name="EnrolmentPage")


@method_decorator(never_cache, name="dispatch")
class EnrolmentList(Endpoint):
    """The courses of a student."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LEARNING_READ}
    links = {
        "GET": [
            Link("enrolment", from_answer(enrolment_id="results/0/id")),
            Link("course_lesson_done", from_answer(enrolment_id="results/0/id", lesson_id="results/0/lessons/0/id")),
        ]
    }

    @extend_schema(
        operation_id="enrolments",
        parameters=[ListQuestion],
        responses=answers(_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """Your courses and your progress, the latest first."""
        page = answer_page(request, _own(request), newest_by="activated_at", describe=_describe)
        return Response(_PAGE(page).data)


@method_decorator(never_cache, name="dispatch")
class EnrolmentDetail(Endpoint):
    """One course of a student."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.LEARNING_READ}
    links = {"GET": [Link("course_lesson_done", from_answer(enrolment_id="id", lesson_id="lessons/0/id"))]}

    @extend_schema(
        operation_id="enrolment", responses=answers(EnrolmentAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND)
    )
    def get(self, request: Request, enrolment_id: int) -> Response:
        """One course that you have."""
        return _answer(request, enrolment_id)


class LessonDone(Endpoint):
    """Records progress."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.LEARNING_WRITE}

    @extend_schema(
        operation_id="course_lesson_done",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(EnrolmentAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, enrolment_id: int, lesson_id: int) -> Response:
        """Mark a lesson of your course as done."""
        enrolment = get_object_or_404(_own(request), pk=enrolment_id)
        lessons = CourseLesson.objects.filter(module__course=enrolment.course_id)
        lesson = get_object_or_404(lessons, pk=lesson_id)
        finish_lesson(access_to(enrolment.course, caller(request).pk), lesson)
        return _answer(request, enrolment.pk)


def _own(request: Request) -> Any:
    own = Enrolment.objects.open_to_their_student(caller(request).pk).select_related("course__teacher")
    return own.prefetch_related(
        "course__modules", Prefetch("course__modules__lessons", CourseLesson.objects.defer("body"))
    )


def _answer(request: Request, enrolment_id: int) -> Response:
    enrolment = get_object_or_404(_own(request), pk=enrolment_id)
    return Response(EnrolmentAnswer(_describe(enrolment)).data)


def _describe(enrolment: Enrolment) -> dict[str, Any]:
    course, done = enrolment.course, set(enrolment.done_lesson_ids)
    lessons = [
        {
            "id": lesson.pk,
            "title": lesson.title,
            "kind": lesson.kind,
            "minutes": lesson.minutes,
            "is_done": lesson.pk in done,
            "url": f"{settings.BASE_URL}{reverse('courses:lesson', args=[course.slug, lesson.pk])}",
        }
        for module in course.modules.all()
        for lesson in module.lessons.all()
    ]
    done_count = len([lesson for lesson in lessons if lesson["is_done"]])
    return {
        "id": enrolment.pk,
        "course": course.slug,
        "title": course.title,
        "teacher": course.teacher.slug,
        "access": "purchase" if enrolment.state == Enrolment.State.ACTIVE else "plan",
        "activated_at": enrolment.activated_at,
        "lesson_count": len(lessons),
        "done_count": done_count,
        "is_complete": bool(lessons) and done_count == len(lessons),
        "lessons": lessons,
        "url": f"{settings.BASE_URL}{reverse('courses:learn', args=[course.slug])}",
    }
