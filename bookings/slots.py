"""Convert local times to slots, correctly on the days when the clocks change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange


class NoSuchTime(ValueError):
    """The clocks skip this time, or show it twice, on that night. The message is shown to the teacher."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A period between two aware datetimes; the end is excluded."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Slot) -> bool:
        """Whether there is a moment in both."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def as_range(self) -> DateTimeTZRange:
        """The value for a DateTimeRangeField."""
        return DateTimeTZRange(self.starts_at, self.ends_at, "[)")


def slot_at(*, day: date, at: time, minutes: int, zone: ZoneInfo) -> Slot:
    """The slot that begins when clocks in `zone` show `at` on `day` and takes `minutes` of real time.

    Raises NoSuchTime for a time that the clocks skip in spring or show twice in autumn: a guess could be an hour off.
    """
    # In UTC, because adding minutes to a local time ignores changes of the clock.
    first = datetime.combine(day, at, tzinfo=zone).replace(fold=0)
    starts_at = first.astimezone(UTC)
    if starts_at.astimezone(zone).replace(tzinfo=None) != first.replace(tzinfo=None):
        raise NoSuchTime(f"The clocks skip {at:%H:%M} on that night. Choose an earlier or a later time.")
    if first.utcoffset() != first.replace(fold=1).utcoffset():
        raise NoSuchTime(f"The clocks show {at:%H:%M} twice on that night. Choose an earlier or a later time.")
    return Slot(starts_at, starts_at + timedelta(minutes=minutes))
