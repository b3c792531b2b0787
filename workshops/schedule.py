"""Texts for the times of a workshop, in the zone that `accounts.time_zones` determines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from accounts.moments import write_span
from accounts.time_zones import zone_for
from workshops.models import Workshop, WorkshopSession


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """Start of one session, and the text that shows its times to a reader."""

    starts_at: datetime
    when: str


def session_times(workshop: Workshop, reader: tzinfo) -> list[SessionTimes]:
    """The times of the workshop's sessions, as shown to a reader in the zone `reader`."""
    zone = zone_for(workshop, reader=reader)
    return [
        SessionTimes(session.starts_at, write_span(session.starts_at, session.ends_at, zone))
        for session in workshop.sessions.all()
    ]


def describe_schedule(workshop: Workshop, reader: tzinfo) -> str:
    """One line: "Sat 12 Dec 2026, 10:00–16:00 GMT · Leeds"."""
    sessions = session_times(workshop, reader)
    if not sessions:
        return workshop.where
    when = sessions[0].when
    if len(sessions) > 1:
        when = f"{len(sessions)} sessions from {when}"
    return f"{when} · {workshop.where}" if workshop.where else when


def first_start(sessions: Sequence[WorkshopSession]) -> datetime | None:
    """The start of the first session; None without sessions."""
    return min((session.starts_at for session in sessions), default=None)


def last_end(sessions: Sequence[WorkshopSession]) -> datetime | None:
    """The end of the last session; None without sessions."""
    return max((session.ends_at for session in sessions), default=None)
