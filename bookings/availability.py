"""A teacher's pause and days, which decide whether requests to any teacher may go to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from accounts.models import Teacher
from bookings.models import Availability, LessonRequest


def availability_of(teacher: Teacher) -> Availability:
    """What is stored about the teacher; unsaved if nothing is, which means always available."""
    return Availability.objects.filter(teacher=teacher).first() or Availability(teacher=teacher)


def set_availability(
    *, teacher: Teacher, is_paused: bool, paused_until: date | None = None, days: Sequence[str] = ()
) -> Availability:
    """Store a pause, with its end if it has one, and the days on which the teacher teaches. Requests they have stay."""
    chosen = [day for day in LessonRequest.Weekday.values if day in days]
    stored, _ = Availability.objects.update_or_create(
        teacher=teacher,
        defaults={"is_paused": is_paused, "paused_until": paused_until if is_paused else None, "days": chosen},
    )
    return stored
