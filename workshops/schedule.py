"""When a workshop happens, in words and in the right zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from workshops.models import Workshop, WorkshopSession


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """One session as a viewer reads it. `local` says when that is where it happens, empty if that is the same."""

    starts_at: datetime
    ends_at: datetime
    day: str
    hours: str
    zone: str
    local: str


def viewer_zone(user: AbstractBaseUser | AnonymousUser, workshop: Workshop) -> ZoneInfo:
    """The zone to show times in: a signed-in person's own; for guests, whose zone nobody knows, the workshop's."""
    if isinstance(user, User):
        try:
            return ZoneInfo(user.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return workshop.zone
    return workshop.zone


def session_times(workshop: Workshop, zone: ZoneInfo) -> list[SessionTimes]:
    """The workshop's sessions as somebody in `zone` reads them."""
    return [_times(session, workshop, zone) for session in workshop.sessions.all()]


def describe_schedule(workshop: Workshop, reader: ZoneInfo | None = None) -> str:
    """One line: "Sat 12 Dec 2026, 10:00–16:00 · Leeds".

    In the workshop's own zone, as cart and receipt say it for good; online, in the zone of whoever reads, if given.
    """
    sessions = list(workshop.sessions.all())
    if not sessions:
        return workshop.where
    zone = reader if reader and workshop.is_online else workshop.zone
    when = write_span(sessions[0].starts_at, sessions[0].ends_at, zone)
    if len(sessions) > 1:
        when = f"{len(sessions)} sessions from {when}"
    # A place implies its zone; online, ten o'clock means nothing without one.
    if workshop.is_online:
        when = f"{when} {zone_name(sessions[0].starts_at, zone)}"
    return f"{when} · {workshop.where}" if workshop.where else when


def write_span(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    """Write a stretch of time: Sat 12 Dec 2026, 10:00–16:00; with both days where it runs past midnight."""
    return f"{write_day(starts_at, zone)}, {_hours(starts_at, ends_at, zone)}"


def write_day(moment: datetime, zone: ZoneInfo) -> str:
    """Write a day: Sat 12 Dec 2026."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def write_moment(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment: Sat 12 Dec 2026, 10:00 GMT."""
    return f"{write_day(moment, zone)}, {moment.astimezone(zone):%H:%M} {zone_name(moment, zone)}"


def zone_name(moment: datetime, zone: ZoneInfo) -> str:
    """What people call the zone at that moment: GMT, BST, CET; "UTC+03" where it has no name of its own."""
    name = moment.astimezone(zone).tzname() or ""
    return name if name[:1].isalpha() else f"UTC{name}"


def first_start(sessions: Sequence[WorkshopSession]) -> datetime | None:
    """When the first session starts."""
    return min((session.starts_at for session in sessions), default=None)


def last_end(sessions: Sequence[WorkshopSession]) -> datetime | None:
    """When the last session is over."""
    return max((session.ends_at for session in sessions), default=None)


def _times(session: WorkshopSession, workshop: Workshop, zone: ZoneInfo) -> SessionTimes:
    is_elsewhere = (
        session.starts_at.astimezone(zone).utcoffset() != session.starts_at.astimezone(workshop.zone).utcoffset()
    )
    local = ""
    if is_elsewhere and not workshop.is_online:
        local = f"{write_span(session.starts_at, session.ends_at, workshop.zone)} in {workshop.place or 'local time'}"
    return SessionTimes(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        day=write_day(session.starts_at, zone),
        hours=_hours(session.starts_at, session.ends_at, zone),
        zone=zone_name(session.starts_at, zone),
        local=local,
    )


def _hours(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    if start.date() == end.date():
        return f"{start:%H:%M}–{end:%H:%M}"
    return f"{start:%H:%M} – {write_day(ends_at, zone)}, {end:%H:%M}"
