"""Fee and share are always exactly the amount, whatever the rate."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import CurrencyMismatch, Money, split_by_rate
from money.limits import limits_of
from money.shares import GivenBack, amount_of_units, divide, part_to_give_back, spread, tax_on, tax_within

MINOR = st.integers(min_value=0, max_value=10**12)
RATES = st.integers(min_value=0, max_value=10_000)


@given(MINOR, RATES)
def test_fee_and_share_add_up_and_the_fee_is_rounded_half_up(minor, rate):
    split = split_by_rate(Money(minor, "GBP"), rate)
    assert split.fee.minor + split.share.minor == minor
    exact = Fraction(minor * rate, 10_000)
    assert split.fee.minor == int(exact + Fraction(1, 2))
    assert split.share.minor >= 0


@given(MINOR, st.integers(min_value=0, max_value=5_000))
def test_tax_within_a_price_is_never_more_than_the_price(minor, rate):
    tax = tax_within(Money(minor, "EUR"), rate).minor
    assert 0 <= tax <= minor
    assert abs(Fraction(minor * rate, 10_000 + rate) - tax) <= Fraction(1, 2)


@pytest.mark.parametrize(("currency", "step"), [("GBP", 1), ("JPY", 1), ("KWD", 10)])
@given(minor=MINOR, rate=st.integers(min_value=0, max_value=5_000))
def test_tax_on_a_price_is_in_whole_steps_of_the_currency_with_halves_rounded_up(currency, step, minor, rate):
    tax = tax_on(Money(minor, currency), rate)
    exact = Fraction(minor * rate, 10_000 * step)
    assert tax == Money(int(exact + Fraction(1, 2)) * step, currency)


@pytest.mark.parametrize(
    ("minor", "rate", "tax"), [(0, 2000, 0), (1, 2000, 0), (25, 2000, 5), (1050, 0, 0), (1050, 1, 0)]
)
def test_tax_on_small_prices_and_at_small_rates(minor, rate, tax):
    assert tax_on(Money(minor, "GBP"), rate) == Money(tax, "GBP")


def test_twenty_percent_within_a_hundred_and_twenty_is_twenty():
    assert tax_within(Money(12_000, "GBP"), 2000) == Money(2000, "GBP")


@pytest.mark.parametrize(("minor", "rate"), [(-1, 1000), (1, -1), (1, 10_001)])
def test_what_cannot_be_split_is_refused(minor, rate):
    with pytest.raises(ValueError, match=r"."):
        split_by_rate(Money(minor, "GBP"), rate)


def pounds(*minors):
    return [Money(minor, "GBP") for minor in minors]


@pytest.mark.parametrize(
    ("discount", "lines", "parts"),
    [
        (100, [600, 400], [60, 40]),
        (1000, [5000, 2000, 3000], [500, 200, 300]),
        (2500, [5000, 2000, 3000], [1250, 500, 750]),
        (5000, [12000], [5000]),
        (100, [100, 100, 100], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (0, [500, 0], [0, 0]),
        (0, [0], [0]),
        (5, [5, 0], [5, 0]),
    ],
)
def test_a_discount_is_spread_by_largest_remainder(discount, lines, parts):
    assert spread(Money(discount, "GBP"), over=pounds(*lines)) == pounds(*parts)


@pytest.mark.parametrize(
    ("currency", "amount", "lines", "parts"),
    [
        ("KWD", 10_000, [10_000, 10_000, 10_000], [3340, 3330, 3330]),
        ("ISK", 100_000, [100_000, 100_000, 100_000], [33_400, 33_300, 33_300]),
        ("UGX", 100, [100, 100], [100, 0]),
        ("JPY", 100, [1000, 1000, 1000], [34, 33, 33]),
        # Not whole steps to begin with: the parts need not be either.
        ("KWD", 10_005, [10_000, 10_000, 10_000], [3335, 3335, 3335]),
        ("KWD", 10_000, [9995, 10_000, 10_005], [3332, 3333, 3335]),
    ],
)
def test_a_spread_is_in_steps_of_the_currency(currency, amount, lines, parts):
    """antiwork/gumroad#7605: a part in fractions of the unit could not be refunded later."""
    spread_over = spread(Money(amount, currency), over=[Money(line, currency) for line in lines])
    assert [part.minor for part in spread_over] == parts


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40), st.data())
def test_a_spread_adds_up_and_takes_no_more_than_there_is(lines, data):
    amount = data.draw(st.integers(0, sum(lines)))
    parts = [part.minor for part in spread(Money(amount, "GBP"), over=pounds(*lines))]
    assert sum(parts) == amount
    assert all(0 <= part <= line for part, line in zip(parts, lines, strict=True))
    whole = sum(lines) or 1
    assert all(abs(part * whole - amount * line) < whole for part, line in zip(parts, lines, strict=True))


@pytest.mark.parametrize(("amount", "lines"), [(-1, [5]), (1, [0, 0]), (1, []), (5, [10, -1])])
def test_what_cannot_be_spread_is_refused(amount, lines):
    with pytest.raises(ValueError, match="spread"):
        spread(Money(amount, "GBP"), over=pounds(*lines))


def test_a_spread_never_mixes_currencies():
    with pytest.raises(CurrencyMismatch):
        spread(Money(1, "GBP"), over=[Money(1, "EUR")])


@given(
    st.integers(0, 10**7),
    st.sampled_from(["GBP", "JPY", "KWD"]),
    st.lists(st.integers(1, 4), min_size=1, max_size=8),
)
def test_units_in_any_portions_make_exactly_the_whole(steps, currency, portions):
    step = limits_of(currency).step.minor
    whole, of = Money(steps * step, currency), sum(portions)
    parts, before = [], 0
    for count in portions:
        parts.append(amount_of_units(whole, of=of, before=before, count=count).minor)
        before += count
    assert sum(parts) == whole.minor
    for count, part in zip(portions, parts, strict=True):
        assert part % step == 0
        assert abs(part * of - whole.minor * count) < of * step


@pytest.mark.parametrize(("before", "count"), [(0, 4), (3, 1), (-1, 1), (0, -1)])
def test_units_that_the_whole_does_not_have_are_refused(before, count):
    with pytest.raises(ValueError, match="units after"):
        amount_of_units(Money(1000, "GBP"), of=3, before=before, count=count)


def test_no_units_make_up_nothing():
    assert amount_of_units(Money(1000, "GBP"), of=3, before=3, count=0) == Money(0, "GBP")


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: split_by_rate(Money(-1, "GBP"), 0), r"^only amounts of zero or more are split$"),
        (lambda: split_by_rate(Money(1, "GBP"), 10_001), r"^rate of 10001 basis points$"),
        (lambda: tax_within(Money(-1, "GBP"), 2000), r"^tax of a negative amount or rate$"),
        (lambda: tax_within(Money(1, "GBP"), -1), r"^tax of a negative amount or rate$"),
        (lambda: tax_on(Money(-1, "GBP"), 2000), r"^tax on a negative amount or rate$"),
        (lambda: tax_on(Money(1, "GBP"), -1), r"^tax on a negative amount or rate$"),
        (lambda: spread(Money(1, "GBP"), over=[]), r"^only amounts of zero or more are spread, over something$"),
        (lambda: spread(Money(1, "GBP"), over=[Money(1, "EUR")]), r"^£0\.01 over other currencies$"),
    ],
)
def test_a_refusal_says_what_is_wrong(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()


@pytest.mark.parametrize(
    ("fee_so_far", "fee"),
    # Half of 10 is the fee, and 5 were given back. If a failed refund left them all fee, the next gives back none; if it
    # left them all share, the next is all fee.
    [(5, 0), (4, 0), (3, 0), (2, 1), (1, 1), (0, 1)],
)
def test_after_a_failed_refund_the_next_part_is_as_near_to_the_proportion_as_it_can_be(fee_so_far, fee):
    part = part_to_give_back(1, of=GivenBack(amount=10, part=5), so_far=GivenBack(amount=5, part=fee_so_far))
    assert part == fee


def test_the_nearest_part_is_exactly_what_is_left_of_it_in_the_end():
    for amount in range(1, 12):
        for part in range(amount + 1):
            for gone in range(amount):
                for part_gone in range(max(0, gone - amount + part), min(part, gone) + 1):
                    rest = part_to_give_back(
                        amount - gone,
                        of=GivenBack(amount=amount, part=part),
                        so_far=GivenBack(amount=gone, part=part_gone),
                    )
                    assert rest == part - part_gone


def test_nothing_is_spread_over_nothing():
    assert spread(Money.zero("GBP"), over=[]) == []


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any))
def test_a_number_is_divided_to_the_last_one_and_nobody_is_off_by_a_whole_one(whole, weights):
    parts = divide(whole, weights)
    assert sum(parts) == whole
    assert all(
        abs(part * sum(weights) - whole * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)


@pytest.mark.parametrize(("whole", "weights"), [(-1, [1]), (1, [0, 0]), (1, []), (5, [2, -1])])
def test_what_cannot_be_divided_is_refused(whole, weights):
    with pytest.raises(ValueError, match=r"^only numbers of zero or more are divided, over something$"):
        divide(whole, weights)
