from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bookings.slots import NoSuchTime, Slot, slot_at

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_ten_in_paris_is_nine_utc_in_winter_and_eight_in_summer():
    assert slot_at(day=date(2027, 1, 5), at=time(10), minutes=60, zone=PARIS).starts_at == utc(2027, 1, 5, 9)
    assert slot_at(day=date(2027, 7, 5), at=time(10), minutes=60, zone=PARIS).starts_at == utc(2027, 7, 5, 8)


def test_local_times_stay_the_same_across_the_clock_change():
    before = slot_at(day=SPRING - timedelta(days=1), at=time(18), minutes=60, zone=PARIS)
    after = slot_at(day=SPRING, at=time(18), minutes=60, zone=PARIS)
    assert after.starts_at - before.starts_at == timedelta(hours=23)


def test_a_time_the_clocks_skip_is_refused():
    with pytest.raises(NoSuchTime, match="skip 02:30"):
        slot_at(day=SPRING, at=time(2, 30), minutes=60, zone=PARIS)


def test_a_time_the_clocks_show_twice_is_refused():
    with pytest.raises(NoSuchTime, match="twice"):
        slot_at(day=AUTUMN, at=time(2, 30), minutes=60, zone=PARIS)


@pytest.mark.parametrize(("day", "clock_at_end"), [(SPRING, "04:30"), (AUTUMN, "02:30")])
def test_a_lesson_across_the_clock_change_lasts_its_real_minutes(day, clock_at_end):
    slot = slot_at(day=day, at=time(1, 30), minutes=120, zone=PARIS)
    assert slot.ends_at - slot.starts_at == timedelta(minutes=120)
    assert f"{slot.ends_at.astimezone(PARIS):%H:%M}" == clock_at_end


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    zone=st.sampled_from(
        ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Africa/Casablanca"]
    ),
    minutes=st.integers(15, 480),
)
def test_every_accepted_time_reads_back_as_it_was_typed(at, zone, minutes):
    typed = at.replace(second=0, microsecond=0)
    try:
        slot = slot_at(day=typed.date(), at=typed.time(), minutes=minutes, zone=ZoneInfo(zone))
    except NoSuchTime:
        assume(False)
    assert slot.starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == typed
    assert slot.ends_at - slot.starts_at == timedelta(minutes=minutes)


def test_slots_that_touch_do_not_overlap():
    first, second = Slot(utc(2027, 1, 1, 10), utc(2027, 1, 1, 11)), Slot(utc(2027, 1, 1, 11), utc(2027, 1, 1, 12))
    assert not first.overlaps(second)
    assert first.overlaps(Slot(utc(2027, 1, 1, 10, 59), utc(2027, 1, 1, 12)))
