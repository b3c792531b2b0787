"""Fee and share are always exactly the amount, whatever the rate."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import Money, split_by_rate
from money.shares import tax_within

MINOR = st.integers(min_value=0, max_value=10**12)
RATES = st.integers(min_value=0, max_value=10_000)


@given(MINOR, RATES)
def test_fee_and_share_add_up_and_the_fee_is_rounded_half_up(minor, rate):
    split = split_by_rate(Money(minor, "GBP"), rate)
    assert split.fee.minor + split.share.minor == minor
    exact = Fraction(minor * rate, 10_000)
    assert split.fee.minor == int(exact + Fraction(1, 2))
    assert split.share.minor >= 0


def test_ten_percent_of_every_amount_up_to_a_hundred_thousand():
    for minor in range(100_000):
        split = split_by_rate(Money(minor, "GBP"), 1000)
        assert split.fee.minor == (minor + 5) // 10
        assert split.share.minor == minor - split.fee.minor


@given(MINOR, st.integers(min_value=0, max_value=5_000))
def test_tax_within_a_price_is_never_more_than_the_price(minor, rate):
    tax = tax_within(Money(minor, "EUR"), rate).minor
    assert 0 <= tax <= minor
    assert abs(Fraction(minor * rate, 10_000 + rate) - tax) <= Fraction(1, 2)


def test_twenty_percent_within_a_hundred_and_twenty_is_twenty():
    assert tax_within(Money(12_000, "GBP"), 2000) == Money(2000, "GBP")


@pytest.mark.parametrize(("minor", "rate"), [(-1, 1000), (1, -1), (1, 10_001)])
def test_what_cannot_be_split_is_refused(minor, rate):
    with pytest.raises(ValueError, match=r"."):
        split_by_rate(Money(minor, "GBP"), rate)
