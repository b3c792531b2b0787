"""What a paid period is divided into adds up to what was paid, in currencies of every exponent."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entries import AccountKind, net_amounts
from money import Money
from subscriptions.entries import entries_of_earning, entries_of_opening, entries_of_release, portion_of
from subscriptions.sharing import share_by_use, slices_of, values_of_credits

START = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
MINOR = st.integers(0, 10**9)
CURRENCIES = st.sampled_from(["JPY", "GBP", "KWD"])
POINTS = st.dictionaries(st.integers(1, 50), st.integers(0, 500), max_size=12)


@given(MINOR, st.integers(0, 40), MINOR)
def test_credits_are_worth_what_the_plan_says_but_never_more_than_was_paid(paid, count, value):
    values = values_of_credits(paid, count=count, value_minor=value)
    assert len(values) == count
    assert sum(values) <= paid
    if count * value <= paid:
        assert values == [value] * count
    elif count:
        assert sum(values) == paid
        assert max(values) - min(values) <= 1


@pytest.mark.parametrize(
    ("days", "count"), [(1, 1), (28, 1), (30, 1), (31, 1), (45, 1), (61, 2), (92, 3), (365, 12), (366, 12)]
)
def test_access_is_shared_about_once_a_month(days, count):
    assert len(slices_of(START, START + timedelta(days=days), 1000)) == count


@given(st.integers(1, 800), MINOR)
def test_slices_follow_each_other_and_make_up_the_whole_period_and_amount(days, amount):
    slices = slices_of(START, ends := START + timedelta(days=days), amount)
    assert sum(each.amount_minor for each in slices) == amount
    assert (slices[0].starts_at, slices[-1].ends_at) == (START, ends)
    assert all(before.ends_at == after.starts_at for before, after in pairwise(slices))
    amounts = [each.amount_minor for each in slices]
    assert max(amounts) - min(amounts) <= 1


@given(MINOR, CURRENCIES, POINTS, st.integers(0, 10_000))
def test_a_slice_is_shared_to_the_last_minor_unit_and_in_proportion(minor, currency, points, rate):
    shared = share_by_use(Money(minor, currency), points, dict.fromkeys(points, rate))
    parts = [part.split.fee.minor + part.split.share.minor for part in shared.parts]
    assert sum(parts) + shared.rest.minor == minor
    assert [part.teacher_id for part in shared.parts] == sorted(teacher for teacher in points if points[teacher])
    whole = sum(points.values())
    assert shared.rest.minor == (0 if whole else minor)
    for part, gross in zip(shared.parts, parts, strict=True):
        assert abs(Fraction(minor * part.points, whole) - gross) < 1
        assert part.split.fee.minor == int(Fraction(gross * rate, 10_000) + Fraction(1, 2))


def test_thirty_pounds_between_two_teachers_with_two_thirds_and_one_third_of_the_use():
    shared = share_by_use(Money(3001, "GBP"), {7: 4, 8: 2, 9: 0}, {7: 1000, 8: 1500, 9: 1000})
    assert [(part.teacher_id, part.split.fee.minor, part.split.share.minor) for part in shared.parts] == [
        (7, 200, 1801),
        (8, 150, 850),
    ]


@given(MINOR, CURRENCIES, POINTS)
def test_what_is_deferred_leaves_the_account_to_the_last_minor_unit(minor, currency, points):
    amount = Money(minor, currency)
    shared = share_by_use(amount, points, dict.fromkeys(points, 1000))
    earned = entries_of_earning([portion_of(part.teacher_id, part.split) for part in shared.parts], shared.rest)
    net = net_amounts([*entries_of_opening(amount), *earned])
    assert not [key for key in net if key.kind is AccountKind.SUBSCRIPTIONS_UNEARNED]
    assert not net_amounts([*entries_of_opening(amount), *entries_of_release(amount)])
