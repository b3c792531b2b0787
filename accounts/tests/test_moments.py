"""How times are written: day, hours and the zone's name, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.moments import name_zone, write_day, write_moment, write_span
from accounts.places_and_languages import known_time_zones

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
A_BUSY_MACHINE_PROVES_NOTHING = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ZONES = st.sampled_from(sorted(known_time_zones())).map(ZoneInfo)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Asia/Tokyo", "Sat 2 Jan 2027, 10:00 JST"),
        ("Europe/Berlin", "Sat 2 Jan 2027, 02:00 CET"),
        ("America/New_York", "Fri 1 Jan 2027, 20:00 EST"),
        ("Asia/Kathmandu", "Sat 2 Jan 2027, 06:45 UTC+05:45"),
        ("America/Sao_Paulo", "Fri 1 Jan 2027, 22:00 UTC-03:00"),
        ("UTC", "Sat 2 Jan 2027, 01:00 UTC"),
    ],
)
def test_a_moment_names_day_time_and_zone(zone, written):
    assert write_moment(utc(2027, 1, 2, 1), ZoneInfo(zone)) == written


@pytest.mark.parametrize(
    ("starts_at", "minutes", "zone", "written"),
    [
        (utc(2027, 1, 2, 1), 120, "Asia/Tokyo", "Sat 2 Jan 2027, 10:00–12:00 JST"),
        (utc(2027, 1, 5, 22, 30), 60, "Europe/Paris", "Tue 5 Jan 2027, 23:30 – Wed 6 Jan 2027, 00:30 CET"),
        (utc(2027, 10, 30, 23, 30), 120, "Europe/Paris", "Sun 31 Oct 2027, 01:30 CEST – 02:30 CET"),
        (utc(2027, 10, 31, 0, 30), 60, "Europe/Paris", "Sun 31 Oct 2027, 02:30 CEST – 02:30 CET"),
        (utc(2027, 3, 14, 6, 30), 60, "America/New_York", "Sun 14 Mar 2027, 01:30 EST – 03:30 EDT"),
        (utc(2027, 10, 30, 21), 240, "Europe/Paris", "Sat 30 Oct 2027, 23:00 CEST – Sun 31 Oct 2027, 02:00 CET"),
        (utc(2027, 1, 5, 18), 30, "Asia/Kathmandu", "Tue 5 Jan 2027, 23:45 – Wed 6 Jan 2027, 00:15 UTC+05:45"),
    ],
)
def test_a_span_names_what_its_reader_needs(starts_at, minutes, zone, written):
    assert write_span(starts_at, starts_at + timedelta(minutes=minutes), ZoneInfo(zone)) == written


@A_BUSY_MACHINE_PROVES_NOTHING
@given(MOMENTS, st.integers(1, 10_000), ZONES)
def test_moment_day_and_span_agree(starts_at, minutes, zone):
    ends_at = starts_at + timedelta(minutes=minutes)
    span, start = write_span(starts_at, ends_at, zone), write_moment(starts_at, zone)
    assert span.startswith(start.rpartition(" ")[0])
    assert start.startswith(write_day(starts_at, zone))
    assert span.endswith(name_zone(ends_at, zone))
    assert (write_day(ends_at, zone) in span) or write_day(ends_at, zone) == write_day(starts_at, zone)


@A_BUSY_MACHINE_PROVES_NOTHING
@given(MOMENTS, ZONES)
def test_every_zone_has_a_name_at_every_moment(moment, zone):
    name = name_zone(moment, zone)
    assert name[0].isalpha()
    assert name.isascii()
