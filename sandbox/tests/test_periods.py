"""Arithmetic of periods and prorations: properties for any anchor, price and time."""

from calendar import monthrange
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.billing.periods import Interval, Period, boundary, first_on, next_boundary, period_around, period_from
from sandbox.billing.prorations import Change, share

MOMENTS = st.integers(0, 3_000_000_000)
INTERVALS = st.builds(Interval, st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 24))
AMOUNTS = st.integers(0, 99_999_999)


def date(moment):
    return datetime.fromtimestamp(moment, UTC)


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@given(MOMENTS)
def test_twelve_monthly_periods_end_on_the_anchors_day_or_the_last_day_of_the_month(anchor):
    start = anchor
    for _ in range(12):
        period = period_from(anchor, Interval("month"), start)
        end = date(period.end)
        assert end.day == min(date(anchor).day, monthrange(end.year, end.month)[1])
        assert end.time() == date(anchor).time()
        assert (end.month - date(period.start).month) % 12 == 1
        start = period.end
    if (date(anchor).month, date(anchor).day) != (2, 29):
        assert date(start) == date(anchor).replace(year=date(anchor).year + 1)


@given(MOMENTS, INTERVALS, MOMENTS)
def test_the_next_boundary_is_the_first_one_after_the_moment(anchor, interval, moment):
    end = next_boundary(anchor, interval, moment)
    assert end > moment
    candidates = [boundary(anchor, interval, number) for number in range(-2, 3)]
    assert not [candidate for candidate in candidates if moment < candidate < end]


@given(MOMENTS, INTERVALS)
def test_periods_follow_each_other_without_gap_or_overlap(anchor, interval):
    first = period_from(anchor, interval, anchor)
    second = period_from(anchor, interval, first.end)
    assert (first.start, second.start) == (anchor, first.end)
    assert (first.end, second.end) == (boundary(anchor, interval, 1), boundary(anchor, interval, 2))


@given(MOMENTS, INTERVALS, MOMENTS)
def test_the_period_around_a_moment_contains_it_and_lies_between_two_boundaries(anchor, interval, moment):
    period = period_around(anchor, interval, moment)
    assert period.start <= moment < period.end
    assert next_boundary(anchor, interval, period.start) == period.end
    assert next_boundary(anchor, interval, period.start - 1) == period.start


@given(MOMENTS, st.integers(1, 31), st.none() | st.integers(0, 23))
def test_a_fixed_day_of_the_month_is_the_next_such_day(now, day, hour):
    found = first_on(now, Interval("month"), {"day_of_month": day, "hour": hour})
    assert found >= now
    assert date(found).day == min(day, monthrange(date(found).year, date(found).month)[1])
    assert date(found).hour == (date(now).hour if hour is None else hour)
    assert found - now <= 62 * 24 * 3600


def test_a_fixed_month_applies_only_to_yearly_intervals():
    now = at("2027-03-10T08:00:00")
    fixed = {"day_of_month": 31, "month": 2, "hour": None}
    assert date(first_on(now, Interval("year"), fixed)).isoformat()[:10] == "2028-02-29"
    assert date(first_on(now, Interval("month"), fixed)).isoformat()[:10] == "2027-03-31"


def test_the_anchors_day_returns_after_a_short_february():
    anchor = at("2027-01-31T10:00:00")
    ends = [date(boundary(anchor, Interval("month"), number)).isoformat()[:10] for number in range(1, 5)]
    assert ends == ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    leap = at("2028-02-29T00:00:00")
    assert date(boundary(leap, Interval("year"), 1)).isoformat()[:10] == "2029-02-28"
    assert date(boundary(leap, Interval("year"), 4)).isoformat()[:10] == "2032-02-29"


@given(AMOUNTS, AMOUNTS, MOMENTS, st.integers(1, 40_000_000), st.floats(0, 1))
def test_credit_and_debit_add_up_to_the_price_difference_for_the_rest_of_the_period(
    before, after, start, length, fraction
):
    period = Period(start, start + length)
    moment = start + int(length * fraction)
    change = Change(before, after)
    exact = (after - before) * (period.end - moment) / length
    assert change.credit(period, moment) + change.debit(period, moment) == pytest.approx(exact, abs=1, rel=1e-12)
    assert change.credit(period, moment) <= 0 <= change.debit(period, moment)


@given(AMOUNTS, MOMENTS, st.integers(1, 40_000_000))
def test_a_whole_period_costs_the_price_and_an_empty_one_nothing(amount, start, length):
    period = Period(start, start + length)
    assert share(amount, period, start) == amount
    assert share(amount, period, start - 5) == amount
    assert share(amount, period, period.end) == 0
    assert share(amount, Period(start, start), start) == 0


def test_an_added_item_is_only_debited_and_a_removed_one_only_credited():
    period = Period(0, 100)
    assert (Change(None, 1000).credit(period, 25), Change(None, 1000).debit(period, 25)) == (None, 750)
    assert (Change(1000, None).credit(period, 25), Change(1000, None).debit(period, 25)) == (-750, None)
