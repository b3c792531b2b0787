"""How times are written, with their zone always beside them. `accounts.time_zones` says which zone that is."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from django.core.exceptions import ValidationError

# The first and last days of the calendar cannot be written in every zone: year 9999 ends nine hours early in Tokyo.
YEARS = range(2000, 2200)


def is_in_sensible_year(moment: datetime) -> None:
    """Refuse years that are typing errors, such as 0026 or 9999."""
    if moment.year not in YEARS:
        raise ValidationError("Give a year close to the current one.", code="year")


def write_moment(moment: datetime, zone: tzinfo) -> str:
    """Write a moment: Sat 12 Dec 2026, 10:00 GMT."""
    return f"{write_day(moment, zone)}, {moment.astimezone(zone):%H:%M} {name_zone(moment, zone)}"


def write_span(starts_at: datetime, ends_at: datetime, zone: tzinfo) -> str:
    """Write from when to when: Sat 12 Dec 2026, 10:00–16:00 GMT.

    Both days stand there if it runs past midnight, and both zone names if the clocks change on the way: the length
    would look wrong otherwise.
    """
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    changed = "" if start.utcoffset() == end.utcoffset() else f" {name_zone(starts_at, zone)}"
    is_one_day = start.date() == end.date()
    until = f"{end:%H:%M}" if is_one_day else f"{write_day(ends_at, zone)}, {end:%H:%M}"
    dash = "–" if is_one_day and not changed else " – "
    return f"{write_day(starts_at, zone)}, {start:%H:%M}{changed}{dash}{until} {name_zone(ends_at, zone)}"


def write_day(moment: datetime, zone: tzinfo) -> str:
    """Write the day of a moment: Sat 12 Dec 2026."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def name_zone(moment: datetime, zone: tzinfo) -> str:
    """The zone's usual name at that moment: GMT, BST, CET; UTC+05:45 where it has none."""
    local = moment.astimezone(zone)
    name = local.tzname() or ""
    if name[:1].isalpha():
        return name
    offset = local.utcoffset() or timedelta(0)
    minutes = abs(offset) // timedelta(minutes=1)
    return f"UTC{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}"
