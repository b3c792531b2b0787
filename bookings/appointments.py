"""Private lessons in a person's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from accounts.models import Teacher
from bookings import DOMAIN
from bookings.models import Lesson
from bookings.slots import Slot
from payments.appointments import appointments_of
from payments.contracts import Appointment


def appointment_of(lesson: Lesson) -> Appointment:
    """A lesson as payments knows it. Reads request, subject and teacher."""
    return _appointment(str(lesson.pk), lesson.title, Slot(lesson.starts_at, lesson.ends_at), lesson)


def lessons_of(person_id: int, *, since: datetime, until: datetime) -> list[Appointment]:
    """Lessons in a period that a person gives or takes, and that are paid or being paid."""
    lessons = Lesson.objects.for_pages().occupying(timezone.now())
    own = lessons.filter(Q(student=person_id) | Q(teacher__user=person_id))
    return [appointment_of(lesson) for lesson in own.filter(period__overlap=Slot(since, until).as_range())]


def other_appointments_at(teacher: Teacher, slots: Sequence[Slot]) -> list[Appointment]:
    """What else the teacher does at these times: workshops they give, and whatever they attend themselves.

    Without the lessons they give, about which the page knows more: `proposals.lessons_near`.
    """
    planned = [_appointment("", "", slot) for slot in slots]
    if not planned:
        return []
    found = [one for one in appointments_of(teacher.user_id, planned) if any(one.overlaps(slot) for slot in planned)]
    lessons = Lesson.objects.filter(pk__in=[int(one.reference) for one in found if one.domain == DOMAIN])
    given = {str(pk) for pk in lessons.filter(teacher=teacher).values_list("pk", flat=True)}
    return [one for one in found if one.domain != DOMAIN or one.reference not in given]


def _appointment(reference: str, title: str, slot: Slot, lesson: Lesson | None = None) -> Appointment:
    return Appointment(
        domain=DOMAIN,
        reference=reference,
        title=title,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        place_zone=lesson.place_zone if lesson else None,
    )
