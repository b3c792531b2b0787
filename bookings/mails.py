"""Mails about requests and lessons, queued in the transaction of the change. Online, times are in the reader's zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import Teacher, User
from accounts.moments import write_moment, write_span
from accounts.time_zones import zone_for, zone_of_user
from bookings import DOMAIN
from bookings.calendar_file import calendar_of
from bookings.models import Assignment, Lesson, LessonRequest
from notifications.attachments import Attachment
from notifications.outbox import queue_mail
from payments.contracts import SoldLine
from payments.earnings.entries import Portion
from payments.tax.words import price_with_note


def queue_request_received(request: LessonRequest, teacher: Teacher, *, assignment: Assignment | None = None) -> None:
    """Tell a teacher that a student asks for lessons; with an assignment, that the site chose them."""
    # Staff may move a request back to a teacher.
    again = f":{assignment.pk}" if assignment else ""
    queue_mail(
        key=f"lesson-request:{request.pk}:received:{teacher.pk}{again}",
        to=teacher.user,
        template="bookings/mail/request_received",
        context={
            **_about_request(request),
            "teacher": teacher.display_name,
            "is_assigned": assignment is not None,
            "answer_before": write_moment(request.lapses_at, zone_of_user(teacher.user)),
            "path": reverse("bookings:request_answer", args=[request.pk]),
        },
    )


def queue_request_assigned(request: LessonRequest, assignment: Assignment) -> None:
    """Tell the student which teacher is asked now, and why it is another than before."""
    _queue_progress(request, assignment, "assigned")


def queue_request_unassigned(request: LessonRequest, assignment: Assignment) -> None:
    """Tell the student that staff look for a teacher."""
    _queue_progress(request, assignment, "unassigned")


def queue_request_left(request: LessonRequest, teacher: Teacher, *, is_late: bool) -> None:
    """Tell a teacher that a request left their desk: they did not answer in time, or staff moved it."""
    queue_mail(
        key=f"lesson-request:{request.pk}:left:{teacher.pk}:{request.asked_at.isoformat()}",
        to=teacher.user,
        template="bookings/mail/request_left",
        context={
            **_about_request(request),
            "is_late": is_late,
            "path": reverse("bookings:availability"),
        },
    )


def queue_request_accepted(request: LessonRequest, lessons: Sequence[Lesson]) -> None:
    """Tell the student which times and price the teacher proposes."""
    _queue_answer(request, "accepted", slots=[_to_pay(lesson) for lesson in lessons])


def queue_pay_link(lesson: Lesson) -> None:
    """Send the student the link on which they pay this lesson; of several sent together only the latest."""
    queue_mail(
        series=f"lesson:{lesson.pk}:pay",
        key=f"lesson:{lesson.pk}:pay:{timezone.now().isoformat()}",
        to=lesson.student,
        template="bookings/mail/lesson_pay",
        context={**_about_request(lesson.request), "teacher": lesson.teacher.display_name, **_to_pay(lesson)},
    )


def queue_request_declined(request: LessonRequest) -> None:
    """Tell the student that the teacher declined."""
    _queue_answer(request, "declined")


def queue_request_lapsed(request: LessonRequest) -> None:
    """Tell the student that no teacher answered in time."""
    _queue_answer(request, "lapsed")


def queue_lesson_confirmed(lesson: Lesson, *, line: SoldLine | None = None, credit: Portion | None = None) -> None:
    """Tell student and teacher that the lesson is confirmed, with the calendar entry.

    `line` paid for it, or else a lesson credit, of which `credit` is what teacher and platform will earn.
    """
    paid = {"order_number": line.order_number, **line.sale} if line else {"order_number": "", "amount": "", "share": ""}
    paid |= {"credit_share": str(credit.share) if credit else ""}
    for role, person in _both(lesson):
        queue_mail(
            key=f"lesson:{lesson.pk}:confirmed:{role}",
            to=person,
            template=f"bookings/mail/lesson_confirmed_{role}",
            context=_about_lesson(lesson, person) | paid,
            attachments=[_calendar(lesson, person)],
            part_of=line.purchase_mail if line and role == "student" else "",
        )


def queue_new_link(lesson: Lesson) -> None:
    """Send the student the link to join when it changes after the confirmation; of many changes only the latest."""
    queue_mail(
        series=f"lesson:{lesson.pk}:link",
        key=f"lesson:{lesson.pk}:link:{timezone.now().isoformat()}",
        to=lesson.student,
        template="bookings/mail/lesson_link",
        context=_about_lesson(lesson, lesson.student),
        attachments=[_calendar(lesson, lesson.student)],
    )


def queue_lesson_cancelled(lesson: Lesson) -> None:
    """Tell student and teacher that the lesson is cancelled, with the entry that cancels it in their calendars."""
    for role, person in _both(lesson):
        queue_mail(
            key=f"lesson:{lesson.pk}:cancelled:{role}",
            to=person,
            template="bookings/mail/lesson_cancelled",
            context=_about_lesson(lesson, person) | {"reason": lesson.cancel_reason},
            attachments=[_calendar(lesson, person)],
        )


def _queue_progress(request: LessonRequest, assignment: Assignment, outcome: str) -> None:
    queue_mail(
        key=f"lesson-request:{request.pk}:{outcome}:{assignment.pk}",
        to=request.student,
        template=f"bookings/mail/request_{outcome}",
        context={
            **_about_request(request),
            "teacher": request.teacher.display_name if request.teacher else "",
            "cause": assignment.cause,
            "until": write_moment(request.lapses_at, zone_of_user(request.student)),
            "path": request.get_absolute_url(),
        },
    )


def _queue_answer(request: LessonRequest, outcome: str, **more: Any) -> None:
    queue_mail(
        key=f"lesson-request:{request.pk}:{outcome}",
        to=request.student,
        template=f"bookings/mail/request_{outcome}",
        context={
            **_about_request(request),
            "teacher": request.teacher.display_name if request.teacher else "",
            "note": request.teacher_note,
            "path": request.get_absolute_url(),
            "ask_again_path": reverse("bookings:request_any"),
            **more,
        },
    )


def _about_request(request: LessonRequest) -> dict[str, Any]:
    return {
        "topic": request.subject.name,
        "level": request.get_level_display(),
        "student": request.student.display_name,
        "goals": request.goals,
        "preferred": request.preferred_summary,
        "meeting": request.get_meeting_display(),
    }


def _about_lesson(lesson: Lesson, reader: User) -> dict[str, Any]:
    return {
        "title": lesson.title,
        "topic": lesson.request.subject.name,
        "teacher": lesson.teacher.display_name,
        "student": lesson.student.display_name,
        "when": _when(lesson, reader),
        "where": lesson.meeting_url if lesson.is_online else lesson.place,
        "is_online": lesson.is_online,
        "price": str(lesson.price),
        "path": lesson.get_absolute_url(),
    }


def _to_pay(lesson: Lesson) -> dict[str, str]:
    """A proposed lesson with the link that leads straight to paying it. The price tells whether it changed since."""
    path = reverse("bookings:lesson_pay", args=[lesson.pk])
    return {
        "when": _when(lesson, lesson.student),
        "price": price_with_note(lesson.price, DOMAIN),
        "pay_path": f"{path}?price={lesson.price.to_major()}",
    }


def _both(lesson: Lesson) -> list[tuple[str, User]]:
    return [("student", lesson.student), ("teacher", lesson.teacher.user)]


def _when(lesson: Lesson, reader: User) -> str:
    return write_span(lesson.starts_at, lesson.ends_at, zone_for(lesson, reader=zone_of_user(reader)))


def _calendar(lesson: Lesson, reader: User) -> Attachment:
    return Attachment(name="lesson.ics", mime="text/calendar", text=calendar_of(lesson, zone_of_user(reader)))
