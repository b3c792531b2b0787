"""From the clock on a person's wall to a slot, and back to words. Correct across changes of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import dateformat

from accounts.models import User
from accounts.time_zones import known_or_none


class NoSuchTime(ValueError):
    """The clocks skip this time, or show it twice, on that night. The message is shown to the teacher."""


@dataclass(frozen=True, slots=True)
class Slot:
    """From a moment to a moment, both aware; excludes its end."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Slot) -> bool:
        """Whether there is a moment in both."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def as_range(self) -> DateTimeTZRange:
        """As the database stores it."""
        return DateTimeTZRange(self.starts_at, self.ends_at, "[)")


def zone_of_user(user: User) -> ZoneInfo:
    """The person's time zone; the site's if there are no longer rules for it."""
    return ZoneInfo(known_or_none(user.time_zone) or settings.TIME_ZONE)


def slot_at(*, day: date, at: time, minutes: int, zone: ZoneInfo) -> Slot:
    """The slot that begins when clocks in `zone` show `at` on `day` and takes `minutes` of real time.

    Raises NoSuchTime for what the clocks skip in spring or show twice in autumn: a guess would be an hour out.
    """
    # In UTC, because adding minutes to a local time would move along the wall clock, not along real time.
    first = datetime.combine(day, at, tzinfo=zone).replace(fold=0)
    starts_at = first.astimezone(UTC)
    if starts_at.astimezone(zone).replace(tzinfo=None) != first.replace(tzinfo=None):
        raise NoSuchTime(f"The clocks skip {at:%H:%M} on that night. Choose an earlier or a later time.")
    if first.utcoffset() != first.replace(fold=1).utcoffset():
        raise NoSuchTime(f"The clocks show {at:%H:%M} twice on that night. Choose an earlier or a later time.")
    return Slot(starts_at, starts_at + timedelta(minutes=minutes))


def slot_words(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    """A slot as a person in `zone` reads it: Tue 4 Nov 2025, 10:00–11:00 CET (Europe/Paris)."""
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    until = f"{end:%H:%M}"
    if start.utcoffset() != end.utcoffset():
        # A lesson over the change of the clock: without both abbreviations its length would look wrong.
        until = f"{start:%Z}–{end:%H:%M}"
        return f"{dateformat.format(start, 'D j M Y, H:i')} {until} {end:%Z} ({zone.key})"
    return f"{dateformat.format(start, 'D j M Y, H:i')}–{until} {start:%Z} ({zone.key})"
