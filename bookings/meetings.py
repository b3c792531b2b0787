"""The link to join a lesson online."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import Teacher
from bookings.mails import queue_new_link
from bookings.models import Lesson


@transaction.atomic
def set_meeting_link(*, lesson_id: int, teacher: Teacher, url: str) -> Lesson:
    """Set the link of a lesson online, and mail it to the student if the lesson is paid and not over.

    Raises Lesson.DoesNotExist for another teacher's lesson and for one in person.
    """
    rows = Lesson.objects.select_for_update(of=("self",), no_key=True)
    lesson = rows.select_related("teacher__user", "student", "request__subject").get(
        pk=lesson_id, teacher=teacher, is_online=True
    )
    if url == lesson.meeting_url:
        return lesson
    lesson.meeting_url = url
    lesson.save(update_fields=["meeting_url"])
    if url and lesson.state == Lesson.State.CONFIRMED and lesson.ends_at > timezone.now():
        queue_new_link(lesson)
    return lesson
