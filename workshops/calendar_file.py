"""The calendar entry attached to a confirmed registration."""

from __future__ import annotations

from datetime import UTC, tzinfo

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event

from accounts.moments import write_span
from accounts.time_zones import zone_for
from workshops.models import Workshop


def calendar_of(workshop: Workshop, reader: tzinfo, *, is_cancelled: bool = False) -> str:
    """All sessions as an iCalendar file (RFC 5545). A newer file replaces older events, which have the same UIDs.

    The sessions of a cancelled workshop, or for a cancelled place, are cancelled in the reader's calendar.

    Times are in UTC, which every calendar shows in its owner's zone; the description writes them as pages and mails do.
    """
    zone = zone_for(workshop, reader=reader)
    calendar = Calendar()
    calendar.add("prodid", "-//Lectern//Workshops//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for session in workshop.sessions.all():
        event = Event()
        event.add("uid", f"workshop-{workshop.pk}-session-{session.pk}@lectern")
        event.add("dtstamp", timezone.now().astimezone(UTC))
        event.add("dtstart", session.starts_at.astimezone(UTC))
        event.add("dtend", session.ends_at.astimezone(UTC))
        event.add("summary", workshop.title)
        event.add("description", write_span(session.starts_at, session.ends_at, zone))
        event.add("location", workshop.online_url if workshop.is_online else address_of(workshop))
        event.add("url", f"{settings.BASE_URL}{workshop.get_absolute_url()}")
        if is_cancelled or workshop.is_cancelled:
            event.add("status", "CANCELLED")
            event.add("sequence", 1)
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written.decode()


def address_of(workshop: Workshop) -> str:
    """Place and address in one line."""
    lines = [workshop.place, *workshop.address.splitlines()]
    return ", ".join(line.strip() for line in lines if line.strip())
