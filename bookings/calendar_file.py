"""A lesson as an iCalendar file (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, tzinfo

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event

from accounts.moments import write_span
from accounts.time_zones import zone_for
from bookings.models import Lesson


def calendar_of(lesson: Lesson, reader: tzinfo) -> str:
    """The lesson as a calendar entry. A newer file replaces the older entry: the same UID with a higher SEQUENCE.

    Times are in UTC, which every calendar shows in its owner's zone: the file carries no zone rules that could become
    outdated. The description writes the times as pages and mails do.
    """
    # The database counts the changes, so the row in memory may be behind.
    lesson.refresh_from_db(fields=["sequence", "changed_at"])
    event = Event()
    event.add("uid", f"lesson-{lesson.pk}@lectern")
    event.add("sequence", lesson.sequence)
    event.add("dtstamp", timezone.now().astimezone(UTC))
    event.add("last-modified", lesson.changed_at.astimezone(UTC))
    event.add("dtstart", lesson.starts_at.astimezone(UTC))
    event.add("dtend", lesson.ends_at.astimezone(UTC))
    event.add("summary", f"{lesson.title} with {lesson.teacher.display_name}")
    event.add("description", write_span(lesson.starts_at, lesson.ends_at, zone_for(lesson, reader=reader)))
    event.add("location", lesson.meeting_url if lesson.is_online else lesson.place)
    event.add("url", f"{settings.BASE_URL}{lesson.get_absolute_url()}")
    event.add("status", "CANCELLED" if lesson.state == Lesson.State.CANCELLED else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Lectern//Private lessons//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written.decode()
