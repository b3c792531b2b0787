"""The events about requests and lessons that people's own programs can hear of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bookings.models import Assignment, Lesson, LessonRequest
from webhooks.announcing import View, announce, same_for_all
from webhooks.event_types import EVERYONE, EventType, Field, Rows, register_event_type

_REQUEST = Field(int, "`id` of the request.")
_LESSON = {
    "lesson": Field(int, "`id` of the lesson."),
    "request": _REQUEST,
    "starts_at": Field(str, "RFC 3339, in UTC."),
    "ends_at": Field(str, "RFC 3339, in UTC."),
    "currency": Field(str, "ISO 4217 code."),
    "amount": Field(str, "The price of the lesson."),
}
LESSON_REQUESTED = register_event_type(
    EventType(
        name="lesson.requested",
        text="A student asks for lessons. A teacher hears of it when they are asked.",
        audiences=EVERYONE,
        fields={
            "request": _REQUEST,
            "subject": Field(str, "`slug` of the subject."),
            "level": Field(str, "The student's level."),
            "is_to_any_teacher": Field(bool, "Whether the site chooses the teacher."),
        },
    )
)
LESSON_ACCEPTED = register_event_type(
    EventType(
        name="lesson.accepted",
        text="A teacher accepted a request and proposes lessons, which the student can buy now.",
        audiences=EVERYONE,
        fields={"request": _REQUEST, "lessons": Rows(_LESSON, "What the teacher proposes.")},
    )
)
LESSON_CONFIRMED = register_event_type(
    EventType(name="lesson.confirmed", text="A lesson was paid.", audiences=EVERYONE, fields=_LESSON)
)
LESSON_CANCELLED = register_event_type(
    EventType(
        name="lesson.cancelled",
        text="A lesson will not take place: it was cancelled, or its proposal withdrawn.",
        audiences=EVERYONE,
        fields=_LESSON | {"was_confirmed": Field(bool, "Whether it had been paid.")},
    )
)


def announce_request(request: LessonRequest) -> None:
    """Announce a new request to its student, and to the teacher if it names one."""
    views = same_for_all(_describe(request), user_id=request.student_id, teacher_id=request.teacher_id)
    announce(LESSON_REQUESTED, subject=f"request:{request.pk}", views=views)


def announce_assigned_request(request: LessonRequest, assignment: Assignment) -> None:
    """Announce a request to the teacher who is asked now."""
    views = [View(data=_describe(request), teacher_id=assignment.teacher_id)]
    announce(LESSON_REQUESTED, subject=f"request:{request.pk}:{assignment.pk}", views=views)


def announce_accepted_request(request: LessonRequest, lessons: Sequence[Lesson]) -> None:
    """Announce the lessons that a teacher proposes."""
    data = {"request": request.pk, "lessons": [_describe_lesson(lesson) for lesson in lessons]}
    views = same_for_all(data, user_id=request.student_id, teacher_id=request.teacher_id)
    announce(LESSON_ACCEPTED, subject=f"request:{request.pk}", views=views)


def announce_confirmed_lesson(lesson: Lesson) -> None:
    """Announce that a lesson was paid."""
    _announce_lesson(LESSON_CONFIRMED, lesson, _describe_lesson(lesson))


def announce_cancelled_lesson(lesson: Lesson) -> None:
    """Announce that a lesson was cancelled."""
    data = _describe_lesson(lesson) | {"was_confirmed": lesson.confirmed_at is not None}
    _announce_lesson(LESSON_CANCELLED, lesson, data)


def _announce_lesson(event_type: EventType, lesson: Lesson, data: dict[str, Any]) -> None:
    views = same_for_all(data, user_id=lesson.student_id, teacher_id=lesson.teacher_id)
    announce(event_type, subject=f"lesson:{lesson.pk}", views=views)


def _describe(request: LessonRequest) -> dict[str, Any]:
    return {
        "request": request.pk,
        "subject": request.subject.slug,
        "level": request.level,
        "is_to_any_teacher": request.is_to_any_teacher,
    }


def _describe_lesson(lesson: Lesson) -> dict[str, Any]:
    return {
        "lesson": lesson.pk,
        "request": lesson.request_id,
        "starts_at": _write(lesson.starts_at),
        "ends_at": _write(lesson.ends_at),
        "currency": lesson.currency,
        "amount": str(lesson.price.to_major()),
    }


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
