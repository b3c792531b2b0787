"""Amounts are exact in every exponent, and never mix."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import CurrencyMismatch, Money, UnknownCurrency, exponent
from money.amounts import InvalidAmount

CURRENCIES = st.sampled_from(["GBP", "EUR", "JPY", "KWD", "ISK", "HUF", "UGX", "TND"])
AMOUNTS = st.integers(min_value=-(10**15), max_value=10**15)


@pytest.mark.parametrize(
    ("currency", "places"), [("GBP", 2), ("JPY", 0), ("KWD", 3), ("ISK", 2), ("HUF", 2), ("UGX", 2), ("XOF", 0)]
)
def test_the_minor_unit_is_the_one_stripe_charges_in(currency, places):
    assert exponent(currency) == places


@given(AMOUNTS, CURRENCIES)
def test_major_units_lead_back_to_the_same_amount(minor, currency):
    amount = Money(minor, currency)
    assert Money.from_major(amount.to_major(), currency) == amount


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_sums_are_those_of_the_minor_units(one, other, currency):
    assert (Money(one, currency) + Money(other, currency)).minor == one + other
    assert (Money(one, currency) - Money(other, currency)).minor == one - other
    assert (Money(one, currency) < Money(other, currency)) == (one < other)


def test_currencies_never_mix():
    for mix in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b):
        with pytest.raises(CurrencyMismatch):
            mix(Money(1, "GBP"), Money(1, "EUR"))
    assert Money(1, "GBP") != Money(1, "EUR")


@pytest.mark.parametrize("minor", [1.0, "1", Decimal(1), True, None])
def test_minor_units_are_integers(minor):
    with pytest.raises(TypeError):
        Money(minor, "GBP")


@pytest.mark.parametrize("currency", ["gbp", "XXY", "", "POUNDS"])
def test_unknown_currencies_are_refused(currency):
    with pytest.raises(UnknownCurrency):
        Money(1, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.001", "GBP"),
        ("1.5", "JPY"),
        ("x", "GBP"),
        ("", "EUR"),
        ("NaN", "GBP"),
        ("Infinity", "GBP"),
        ("1e999999", "GBP"),
        ("1e26", "JPY"),
    ],
)
def test_what_is_no_amount_of_its_currency_is_refused(text, currency):
    with pytest.raises(InvalidAmount):
        Money.from_major(text, currency)


@pytest.mark.parametrize(
    ("amount", "locale", "written"),
    [
        (Money(125050, "GBP"), "en_GB", "£1,250.50"),
        (Money(125050, "EUR"), "de_DE", "1.250,50\xa0€"),
        (Money(1200, "ISK"), "en_GB", "ISK\u00a012.00"),
        (Money(1200, "JPY"), "ja_JP", "￥1,200"),  # CLDR's full-width yen sign
        (Money(1200, "JPY"), "en_GB", "¥1,200"),
        (Money(-1200, "JPY"), "en_GB", "-¥1,200"),
        (Money(1200, "CNY"), "en_GB", "CN¥12.00"),
        (Money(1200, "JPY"), "zh_CN", "JP¥1,200"),  # where ¥ means yuan
        (Money(1250, "GBP"), "xx_YY", "£12.50"),
    ],
)
def test_amounts_are_written_as_their_readers_write_them(amount, locale, written):
    assert amount.format(locale) == written
