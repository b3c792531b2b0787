"""What callers send to request lessons, and how requests and lessons are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from rest_framework import serializers

from bookings import DOMAIN
from bookings.credits import UsableCredits
from bookings.models import Lesson, LessonRequest
from catalogue.models import Level


class RequestSent(serializers.Serializer[Any]):
    """What a student wants to learn. The form of the site checks the rest."""

    teacher = serializers.SlugField(required=False, help_text="`slug`; any suitable teacher if left out.")
    subject = serializers.SlugField(help_text="`slug` of a subject that is taught.")
    level = serializers.ChoiceField(choices=Level.choices)
    goals = serializers.CharField(max_length=2000)
    region = serializers.CharField(max_length=10, help_text="Where the student is: GB, US-CA.")
    meeting = serializers.ChoiceField(choices=LessonRequest.Meeting.choices, default=LessonRequest.Meeting.ONLINE)
    preferred_days = serializers.ListField(
        child=serializers.ChoiceField(choices=LessonRequest.Weekday.choices), default=list
    )
    preferred_parts = serializers.ListField(
        child=serializers.ChoiceField(choices=LessonRequest.DayPart.choices), default=list
    )
    preferred_times = serializers.CharField(max_length=500, default="", allow_blank=True)


class LessonAnswer(serializers.Serializer[Any]):
    """A lesson at one time. While it `can_be_bought`, it can be put into the cart by `domain` and `reference`."""

    id = serializers.IntegerField()
    domain = serializers.CharField()
    reference = serializers.CharField()
    request = serializers.IntegerField()
    title = serializers.CharField()
    teacher = serializers.CharField(help_text="`slug` of the teacher.")
    student = serializers.CharField(help_text="The student's name.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=Lesson.State.choices)
    can_be_bought = serializers.BooleanField()
    can_use_credit = serializers.BooleanField(help_text="Whether you could confirm it with a lesson credit.")
    is_by_credit = serializers.BooleanField(help_text="Whether a lesson credit confirmed it instead of a payment.")
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    is_online = serializers.BooleanField()
    place = serializers.CharField(allow_blank=True)
    meeting_url = serializers.CharField(allow_blank=True, help_text="Empty until the lesson is paid.")
    url = serializers.URLField()


class RequestAnswer(serializers.Serializer[Any]):
    """A request for lessons, with the lessons that the teacher proposes."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=LessonRequest.State.choices)
    teacher = serializers.CharField(allow_null=True, help_text="`slug`; null while any teacher may answer.")
    subject = serializers.CharField(help_text="`slug` of the subject.")
    level = serializers.CharField()
    goals = serializers.CharField()
    teacher_note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    lapses_at = serializers.DateTimeField()
    lessons = LessonAnswer(many=True)
    url = serializers.URLField()


def describe_lesson(lesson: Lesson, *, can_use_credit: bool = False) -> dict[str, Any]:
    """A lesson, as `LessonAnswer` takes it; selected as `for_pages` does. `can_use_credit` is what its reader could do."""
    is_paid = lesson.state in (Lesson.State.CONFIRMED, Lesson.State.COMPLETED, Lesson.State.NO_SHOW)
    return {
        "id": lesson.pk,
        "domain": DOMAIN,
        "reference": str(lesson.pk),
        "request": lesson.request_id,
        "title": lesson.title,
        "teacher": lesson.teacher.slug,
        "student": lesson.student.display_name,
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
        "state": lesson.state,
        "can_be_bought": lesson.can_be_bought,
        "can_use_credit": can_use_credit,
        "is_by_credit": lesson.is_by_credit,
        "currency": lesson.currency,
        "amount": lesson.price.to_major(),
        "is_online": lesson.is_online,
        "place": lesson.place,
        "meeting_url": lesson.meeting_url if is_paid else "",
        "url": f"{settings.BASE_URL}{lesson.get_absolute_url()}",
    }


def describe_for(reader_id: int) -> Callable[[Lesson], dict[str, Any]]:
    """`describe_lesson` for a reader, who may have lesson credits. Two queries for any number of lessons."""
    usable = UsableCredits(reader_id)
    return lambda lesson: describe_lesson(lesson, can_use_credit=usable.for_lesson(lesson) is not None)


def describe_request(
    request: LessonRequest, *, describe: Callable[[Lesson], dict[str, Any]] = describe_lesson
) -> dict[str, Any]:
    """A request, as `RequestAnswer` takes it; with teacher and subject selected and its lessons prefetched."""
    return {
        "id": request.pk,
        "state": request.state,
        "teacher": request.teacher.slug if request.teacher else None,
        "subject": request.subject.slug,
        "level": request.level,
        "goals": request.goals,
        "teacher_note": request.teacher_note,
        "created_at": request.created_at,
        "answered_at": request.answered_at,
        "lapses_at": request.lapses_at,
        "lessons": [describe(lesson) for lesson in request.lessons.all()],
        "url": f"{settings.BASE_URL}{request.get_absolute_url()}",
    }
