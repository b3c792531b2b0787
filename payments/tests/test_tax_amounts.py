"""The tax of a line and how its amount is divided, without a database: exact for any price, rate, mode and currency."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import Money
from money.limits import limits_of
from money.shares import tax_on
from money.taking import NOTHING, Parts, keep, take
from payments.checks import check_rates_are_of_domains
from payments.tax.amounts import divide, tax_of
from payments.tax.rates import Taxation, rate_of, taxation_of
from payments.tax.words import note_beside_price

CURRENCIES = st.sampled_from(["GBP", "JPY", "KWD"])
TAXATIONS = st.builds(Taxation, bps=st.integers(0, 3000), is_added=st.booleans(), is_owed_by_platform=st.booleans())


def divided(price, currency="GBP", *, by_platform=0, commission_bps=1000, **taxation):
    taxation = Taxation(**taxation)
    line = tax_of(Money(price, currency), taxation)
    return line, divide(
        line, taxation=taxation, commission_bps=commission_bps, by_platform=Money(by_platform, currency)
    )


@pytest.mark.parametrize(
    ("taxation", "paid", "tax", "fee", "share", "payable"),
    [
        ({}, 10000, 1667, 1000, 9000, 0),
        ({"is_owed_by_platform": True}, 10000, 1667, 833, 7500, 1667),
        ({"is_added": True}, 12000, 2000, 1000, 11000, 0),
        ({"is_added": True, "is_owed_by_platform": True}, 12000, 2000, 1000, 9000, 2000),
    ],
)
def test_who_gets_what_of_100_at_20_percent(taxation, paid, tax, fee, share, payable):
    line, parts = divided(10000, bps=2000, **taxation)
    assert (line.amount.minor, line.tax.minor) == (paid, tax)
    assert (parts.fee.minor, parts.share.minor, parts.platform_tax.minor) == (fee, share, payable)


def test_without_a_rate_nothing_changes():
    """Whether teacher or platform would owe a tax, an untaxed sale is divided as it was before there was any."""
    for is_owed in (True, False):
        line, parts = divided(10005, is_owed_by_platform=is_owed)
        assert (line.amount.minor, line.tax.minor) == (10005, 0)
        assert (parts.fee.minor, parts.share.minor, parts.platform_tax.minor) == (1001, 9004, 0)


@pytest.mark.parametrize(
    ("price", "currency", "bps", "tax"),
    [
        (250, "GBP", 100, 3),  # 2.5 pence
        (249, "GBP", 100, 2),
        (105, "JPY", 1000, 11),
        (35200, "BHD", 1000, 3520),
        # Three decimals are charged in steps of ten: 3.525 of 35.25 are added as 3.53.
        (35250, "BHD", 1000, 3530),
        (199_900, "ISK", 1000, 20_000),
    ],
)
def test_a_tax_that_is_added_can_be_charged(price, currency, bps, tax):
    assert tax_on(Money(price, currency), bps).minor == tax


@given(st.integers(0, 10**9), CURRENCIES, TAXATIONS, st.integers(0, 10_000), st.data())
def test_every_line_adds_up(price, currency, taxation, commission_bps, data):
    step = limits_of(currency).step
    by_platform = Money(data.draw(st.integers(0, 10**6)), currency)
    line = tax_of(step * price, taxation)
    parts = divide(line, taxation=taxation, commission_bps=commission_bps, by_platform=by_platform)
    assert line.amount == step * price + line.added
    assert line.amount.minor % step.minor == 0
    assert Money(0, currency) <= line.tax <= line.amount
    assert line.added.minor in (0, line.tax.minor)
    assert parts.fee + parts.share + parts.platform_tax == line.amount
    assert min(parts.fee.minor, parts.share.minor, parts.platform_tax.minor) >= 0
    assert parts.platform_tax.minor in (0, line.tax.minor)
    assert 0 <= parts.platform_discount_share.minor <= parts.platform_discount.minor <= by_platform.minor


@given(st.integers(1, 10**6), st.integers(0, 10**6), TAXATIONS, st.integers(0, 10_000))
def test_a_discount_that_the_platform_bears_costs_the_teacher_nothing(price, off, taxation, commission_bps):
    """What they earn is what they earn without it, but for tax that they owe less of."""
    off = min(off, price)
    whole, without = divided(
        price,
        commission_bps=commission_bps,
        bps=taxation.bps,
        is_added=taxation.is_added,
        is_owed_by_platform=taxation.is_owed_by_platform,
    )
    line, parts = divided(
        price - off,
        by_platform=off,
        commission_bps=commission_bps,
        bps=taxation.bps,
        is_added=taxation.is_added,
        is_owed_by_platform=taxation.is_owed_by_platform,
    )
    earned = (
        parts.share + parts.platform_discount_share - (Money(0, "GBP") if taxation.is_owed_by_platform else line.added)
    )
    assert earned == without.share - (Money(0, "GBP") if taxation.is_owed_by_platform else whole.added)


@given(st.data(), CURRENCIES, st.integers(1, 10**7), TAXATIONS, st.integers(0, 10_000))
def test_any_sequence_takes_and_gives_back_exactly_the_whole(data, currency, price, taxation, commission_bps):
    line, parts = divided(
        price,
        currency,
        commission_bps=commission_bps,
        bps=taxation.bps,
        is_added=taxation.is_added,
        is_owed_by_platform=taxation.is_owed_by_platform,
    )
    whole = Parts(amount=line.amount.minor, fee=parts.fee.minor, tax=parts.platform_tax.minor)
    taken, written = NOTHING, []
    for _ in range(data.draw(st.integers(0, 10))):
        if written and data.draw(st.booleans()):
            taken -= written.pop(data.draw(st.integers(0, len(written) - 1)))
        elif taken.amount < whole.amount:
            written.append(take(data.draw(st.integers(1, whole.amount - taken.amount)), of=whole, so_far=taken))
            taken += written[-1]
        for each in (*written, taken, whole - taken):
            assert min(each.fee, each.share, each.tax) >= 0
            assert each.fee + each.share + each.tax == each.amount
    kept = keep(data.draw(st.integers(0, taken.amount)), of=taken)
    for each in (kept, taken - kept):
        assert min(each.fee, each.share, each.tax) >= 0
    if taken.amount < whole.amount:
        taken += take(whole.amount - taken.amount, of=whole, so_far=taken)
    assert taken == whole


def test_the_tax_given_back_is_the_rounded_proportion_of_the_total_refunded():
    whole, taken = Parts(amount=1200, fee=100, tax=200), NOTHING
    for _ in range(12):
        taken += take(100, of=whole, so_far=taken)
        assert taken.tax == (2 * 200 * taken.amount + 1200) // 2400
    assert taken == whole


def test_a_rate_begins_on_its_day_and_a_domains_own_comes_first(settings):
    settings.TAX_RATE_BPS = 1900
    settings.TAX_RATES = (
        ("*", 2100, date(2027, 1, 1)),
        ("courses", 700, date(2027, 7, 1)),
        ("courses", 500, date.min),
        ("books", 0, date(2027, 3, 1)),
    )
    assert rate_of("courses", on=date(2027, 6, 30)) == 500
    assert rate_of("courses", on=date(2027, 7, 1)) == 700
    assert rate_of("workshops", on=date(2026, 12, 31)) == 1900
    assert rate_of("workshops", on=date(2027, 1, 1)) == 2100
    assert rate_of("books", on=date(2027, 2, 28)) == 2100
    assert rate_of("books", on=date(2027, 3, 1)) == 0


def test_a_rate_of_no_domain_is_reported(settings):
    settings.TAX_RATES = (("*", 2000, date.min), ("courses", 500, date.min), ("cuorses", 700, date.min))
    (error,) = check_rates_are_of_domains(None)
    assert "'cuorses'" in error.msg
    assert "courses" in error.hint
    settings.TAX_RATES = settings.TAX_RATES[:2]
    assert check_rates_are_of_domains(None) == []


def test_the_platform_owes_the_tax_of_what_it_sells_by_itself(settings):
    settings.TAX_OWED_BY = "teacher"
    assert not taxation_of("courses").is_owed_by_platform
    assert taxation_of("courses", is_sold_by_teacher=False).is_owed_by_platform


@pytest.mark.parametrize(
    ("mode", "bps", "note"),
    [
        ("included", 2000, "incl. 20 % VAT"),
        ("included", 550, "incl. 5.5 % VAT"),
        ("added", 2000, "+ 20 % VAT"),
        ("included", 0, ""),
        ("added", 0, ""),
        ("stripe", 0, "incl. VAT"),
    ],
)
def test_what_stands_beside_a_price(settings, mode, bps, note):
    settings.TAX_MODE, settings.TAX_RATE_BPS, settings.TAX_LABEL = mode, bps, "VAT"
    assert note_beside_price("courses") == note
