from decimal import Decimal

import pytest
from babel.numbers import format_currency
from django import forms
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from money import Money
from money.amounts import InvalidAmount
from money.form_fields import AmountField, PriceField
from money.typed_amounts import read_amount


@pytest.mark.parametrize(
    ("typed", "currency", "amount"),
    [
        ("25,50", "EUR", "25.50"),
        ("25.5", "EUR", "25.50"),
        ("1,234.50", "GBP", "1234.50"),
        ("1.234,50", "EUR", "1234.50"),
        ("1.234.567,89", "EUR", "1234567.89"),
        ("1 234,50", "EUR", "1234.50"),
        ("1\u202f234,50\u00a0€", "EUR", "1234.50"),
        ("1'234.50", "CHF", "1234.50"),
        ("CHF 45.50", "CHF", "45.50"),
        ("45.50 chf", "CHF", "45.50"),
        ("Fr. 45.–", "CHF", "45"),  # Swiss prices end in a dash
        ("SFr. 45", "CHF", "45"),
        ("£45", "GBP", "45"),
        ("£.50", "GBP", "0.50"),
        ("€ 30,–", "EUR", "30"),
        ("25 Euro", "EUR", "25"),
        ("25:-", "SEK", "25"),
        ("Rs. 500", "INR", "500"),
        ("12 500 Ft", "HUF", "12500"),
        ("8,400円", "JPY", "8400"),
        ("45£", "GBP", "45"),
        ("$1,23,456", "USD", "123456"),
        ("99 kr", "SEK", "99"),
        ("1,234", "GBP", "1234"),
        ("¥1,234", "JPY", "1234"),
        ("1.234", "KWD", "1.234"),
        ("0,500", "KWD", "0.500"),
        ("1234,567", "KWD", "1234.567"),
        (" 12 ", "JPY", "12"),
    ],
)
def test_amounts_are_read_as_people_write_them(typed, currency, amount):
    assert read_amount(typed, currency) == Decimal(amount)
    assert AmountField(currency=currency).clean(typed) == Money.from_major(amount, currency)


@pytest.mark.parametrize(
    ("typed", "currency", "word"),
    [
        ("1.234", "GBP", "enter 1234 or 1.23"),
        ("1.234", "JPY", "enter 1234 or 1."),
        ("1,234", "KWD", "enter 1234 or 1.234"),
        ("1e3", "GBP", "digits 0 to 9"),
        ("1_000", "GBP", "digits 0 to 9"),
        ("１２", "GBP", "digits 0 to 9"),  # full width, as Japanese keyboards type
        ("١٢", "GBP", "digits 0 to 9"),
        ("0x10", "GBP", "digits 0 to 9"),
        ("NaN", "GBP", "digits 0 to 9"),
        ("£", "GBP", "digits 0 to 9"),
        ("-5", "GBP", "negative"),
        ("\u22125", "GBP", "negative"),
        ("£-5", "GBP", "negative"),
        ("(5)", "GBP", "negative"),
        ("€5", "GBP", "you typed €"),
        ("$5", "GBP", "you typed $"),
        ("5 Euro", "GBP", "digits 0 to 9"),
        ("5 €/h", "EUR", "digits 0 to 9"),
        ("5:50", "SEK", "digits 0 to 9"),
        ("5 EUR", "GBP", "you typed EUR"),
        ("1.2.3", "GBP", "like this: 1234.50"),
        ("1,234,50", "GBP", "like this: 1234.50"),
        ("1,234.567", "GBP", "at most 2"),
        ("1,2345", "GBP", "at most 2"),
        ("1.5", "JPY", "no decimal places"),
        ("9" * 41, "GBP", "too long"),
    ],
)
def test_anything_else_is_refused_with_a_reason(typed, currency, word):
    with pytest.raises(ValidationError) as refusal:
        AmountField(currency=currency).clean(typed)
    assert word in refusal.value.messages[0]


@given(
    st.integers(0, 10**9),
    st.sampled_from(["GBP", "EUR", "CHF", "USD", "SEK"]),
    st.sampled_from(["en_GB", "de_DE", "de_CH", "fr_FR", "sv_SE", "en_IN"]),
)
def test_what_other_sites_print_is_read_as_the_same_amount(minor, currency, locale):
    amount = Money(minor, currency)
    assert read_amount(format_currency(amount.to_major(), currency, locale=locale), currency) == amount.to_major()


@given(st.integers(0, 10**9), st.sampled_from(["GBP", "JPY", "KWD", "CHF", "ISK"]))
def test_an_amount_comes_back_from_a_form_unchanged(minor, currency):
    field, amount = AmountField(currency=currency), Money(minor, currency)
    assert field.clean(str(field.prepare_value(amount))) == amount
    assert field.clean(str(amount)) == amount or currency == "KWD"


@given(st.text(alphabet="0123456789.,'-eE_ \u00a0£€CHF()", max_size=45), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_nothing_typed_raises_anything_but_a_refusal(typed, currency):
    try:
        amount = read_amount(typed, currency)
    except InvalidAmount:
        return
    assert amount >= 0


def test_browsers_do_not_refuse_what_the_site_reads():
    """An input of type number drops "25,50" in an English browser before it is sent."""

    class Prices(forms.Form):
        price = PriceField(currency="CHF")

    html = str(Prices()["price"])
    assert 'type="text"' in html
    assert 'inputmode="decimal"' in html


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(4550, "CHF"), "CHF\u00a045.50"),
        (Money(4550, "GBP"), "£45.50"),
        (Money(4550, "USD"), "US$45.50"),
        (Money(45500, "KWD"), "KWD\u00a045.500"),
    ],
)
def test_a_code_is_written_with_a_space_that_does_not_break(amount, written):
    assert str(amount) == written
