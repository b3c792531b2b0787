"""Billing periods by the calendar (docs: "Set the subscription billing renewal date").

A subscription keeps its anchor: one anchored on the 31st renews on the last day of shorter months, and later on the
31st again. All times are UTC seconds since the epoch.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DAY = 24 * 3600
MONTHS_A_YEAR = 12
_SECONDS = {"day": DAY, "week": 7 * DAY}
_MONTHS = {"month": 1, "year": MONTHS_A_YEAR}


@dataclass(frozen=True)
class Interval:
    """How often something is billed: `count` times a `unit` of day, week, month or year."""

    unit: str
    count: int = 1

    @classmethod
    def of_price(cls, price: dict[str, Any]) -> "Interval":
        """The interval of a recurring price."""
        return cls(price["recurring"]["interval"], price["recurring"]["interval_count"])


@dataclass(frozen=True)
class Period:
    """A period of time, up to but not including `end`."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        return self.end - self.start

    def remaining_at(self, moment: int) -> int:
        """Seconds of the period that remain at a moment, between zero and its whole length."""
        return self.end - min(max(moment, self.start), self.end)


def boundary(anchor: int, interval: Interval, number: int) -> int:
    """The moment `number` intervals after the anchor; before it when negative."""
    if interval.unit in _SECONDS:
        return anchor + number * interval.count * _SECONDS[interval.unit]
    return _add_months(anchor, number * interval.count * _MONTHS[interval.unit])


def next_boundary(anchor: int, interval: Interval, after: int) -> int:
    """The first boundary later than `after`."""
    number = _completed(anchor, interval, after)
    while boundary(anchor, interval, number) <= after:
        number += 1
    while boundary(anchor, interval, number - 1) > after:
        number -= 1
    return boundary(anchor, interval, number)


def period_from(anchor: int, interval: Interval, start: int) -> Period:
    """The period that begins at `start` and ends at the anchor's next boundary."""
    return Period(start, next_boundary(anchor, interval, start))


def first_on(now: int, interval: Interval, fixed: Mapping[str, int | None]) -> int:
    """The first moment from now on with a fixed day of the month, and perhaps month and time of day.

    `fixed` is Stripe's billing_cycle_anchor_config: parts it leaves open are taken from now.
    """
    date = datetime.fromtimestamp(now, UTC)
    clock = {name: fixed[name] for name in ("hour", "minute", "second") if fixed.get(name) is not None}
    day, month = fixed["day_of_month"] or date.day, fixed.get("month")
    start = _month_index(now)
    for index in range(start, start + 2 * MONTHS_A_YEAR):
        year, month_before = divmod(index, MONTHS_A_YEAR)
        if month and interval.unit == "year" and month_before + 1 != month:
            continue
        last_day = monthrange(year, month_before + 1)[1]
        found = date.replace(year=year, month=month_before + 1, day=min(day, last_day), **clock)  # type: ignore[arg-type]
        if found.timestamp() >= now:
            return int(found.timestamp())
    return now


def period_around(anchor: int, interval: Interval, moment: int) -> Period:
    """The whole period that contains a moment."""
    end = next_boundary(anchor, interval, moment)
    number = _completed(anchor, interval, end)
    while boundary(anchor, interval, number) >= end:
        number -= 1
    return Period(boundary(anchor, interval, number), end)


def _completed(anchor: int, interval: Interval, moment: int) -> int:
    """About how many intervals lie between the anchor and a moment."""
    if interval.unit in _SECONDS:
        return (moment - anchor) // (interval.count * _SECONDS[interval.unit])
    return (_month_index(moment) - _month_index(anchor)) // (interval.count * _MONTHS[interval.unit])


def _month_index(moment: int) -> int:
    date = datetime.fromtimestamp(moment, UTC)
    return date.year * MONTHS_A_YEAR + date.month - 1


def _add_months(moment: int, months: int) -> int:
    date = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(_month_index(moment) + months, MONTHS_A_YEAR)
    last_day = monthrange(year, month + 1)[1]
    return int(date.replace(year=year, month=month + 1, day=min(date.day, last_day)).timestamp())
