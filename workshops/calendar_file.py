"""The calendar entries of a workshop's sessions, as iCalendar files (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event

from accounts.moments import write_span
from accounts.time_zones import zone_for
from workshops.models import Registration, RemovedSession, Workshop, WorkshopSession


def calendar_of_ticket(ticket: Registration, reader: tzinfo) -> str:
    """The entries in the calendar of a ticket's buyer; cancelled once the buyer has no place in the workshop any more."""
    places = Registration.objects.filter(workshop=ticket.workshop_id, buyer=ticket.buyer_id, is_gift_waiting=False)
    return calendar_of(
        ticket.workshop,
        reader,
        held_since=ticket.confirmed_at,
        # A place bought after another was revoked must count further than the entry that cancelled that one.
        revocations=places.filter(state=Registration.State.REVOKED).count(),
        is_cancelled=not places.filter(state=Registration.State.CONFIRMED).exists(),
    )


def calendar_of(
    workshop: Workshop,
    reader: tzinfo,
    *,
    held_since: datetime | None = None,
    revocations: int = 0,
    is_cancelled: bool = False,
) -> str:
    """All sessions as entries. A newer file replaces older entries, which have the same UID and a lower SEQUENCE.

    Sessions removed after `held_since` are in it as cancelled ones, and so are all sessions of a cancelled workshop or
    for a cancelled place. Times are in UTC, which every calendar shows in its owner's zone.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Lectern//Workshops//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    is_off = is_cancelled or workshop.is_cancelled
    # The database counts the changes, so sessions loaded earlier may be behind.
    for session in WorkshopSession.objects.filter(workshop=workshop):
        event = _event(workshop, session, number=session.pk, sequence=session.sequence + revocations, reader=reader)
        event.add("last-modified", session.changed_at.astimezone(UTC))
        event.add("status", "CANCELLED" if is_off else "CONFIRMED")
        calendar.add_component(event)
    for removed in workshop.removed_sessions.filter(removed_at__gt=held_since) if held_since else ():
        sequence = removed.sequence + revocations
        event = _event(workshop, removed, number=removed.session_number, sequence=sequence, reader=reader)
        event.add("last-modified", removed.removed_at.astimezone(UTC))
        event.add("status", "CANCELLED")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written.decode()


def address_of(workshop: Workshop) -> str:
    """Place and address in one line."""
    lines = [workshop.place, *workshop.address.splitlines()]
    return ", ".join(line.strip() for line in lines if line.strip())


def _event(
    workshop: Workshop, times: WorkshopSession | RemovedSession, *, number: int, sequence: int, reader: tzinfo
) -> Event:
    event = Event()
    event.add("uid", f"workshop-{workshop.pk}-session-{number}@lectern")
    event.add("sequence", sequence)
    event.add("dtstamp", timezone.now().astimezone(UTC))
    event.add("dtstart", times.starts_at.astimezone(UTC))
    event.add("dtend", times.ends_at.astimezone(UTC))
    event.add("summary", workshop.title)
    # The zone of pages and mails, unlike the times above.
    event.add("description", write_span(times.starts_at, times.ends_at, zone_for(workshop, reader=reader)))
    event.add("location", workshop.online_url if workshop.is_online else address_of(workshop))
    event.add("url", f"{settings.BASE_URL}{workshop.get_absolute_url()}")
    return event
