"""What a card can be charged, according to Stripe's published figures."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from money import Money
from money.form_fields import PriceField
from money.limits import CannotBeCharged, check_chargeable, half_of, largest_payable, limits_of


@pytest.mark.parametrize(
    ("currency", "least", "most", "step"),
    [
        ("GBP", 30, 99_999_999, 1),
        ("EUR", 50, 99_999_999, 1),
        ("JPY", 50, 99_999_999, 1),
        ("HUF", 17_500, 99_999_999, 1),
        ("TWD", 1, 99_999_999, 1),
        ("KWD", 10, 99_999_990, 10),
        ("BHD", 10, 99_999_990, 10),
        ("ISK", 100, 99_999_900, 100),
        ("UGX", 100, 99_999_900, 100),
    ],
)
def test_each_currency_has_its_limits(currency, least, most, step):
    limits = limits_of(currency)
    assert (limits.least.minor, limits.most.minor, limits.step.minor) == (least, most, step)


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        (Money(29, "GBP"), "The least that can be paid by card is £0.30."),
        (Money(0, "GBP"), "The least that can be paid by card is £0.30."),
        (Money(49, "JPY"), "The least that can be paid by card is ¥50."),
        (Money(100_000_000, "GBP"), "The most that can be paid by card at once is £999,999.99."),
        (Money(5124, "KWD"), "Amounts in KWD can be charged in steps of KWD\u00a00.010 only."),
        (Money(550, "ISK"), "Amounts in ISK can be charged in steps of ISK\u00a01.00 only."),
    ],
)
def test_what_cannot_be_charged_says_why(amount, message):
    with pytest.raises(CannotBeCharged) as refusal:
        check_chargeable(amount)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [("0.30", "GBP", 30), ("0.50", "GBP", 50), ("4500", "JPY", 4500), ("5.120", "KWD", 5120), ("500", "ISK", 50_000)],
)
def test_a_typed_price_is_money(typed, currency, minor):
    assert PriceField(currency=currency).clean(typed) == Money(minor, currency)


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        *((typed, "GBP") for typed in ["0.29", "0", "-5", "1000000", "1.234", "x", "NaN", "Infinity", "-0"]),
        *((typed, "GBP") for typed in ["1e999999999", "1e-999999999", "\x00", "\ud800", "9" * 5000]),
        ("50.5", "JPY"),
        ("5.124", "KWD"),
        ("5.50", "ISK"),
    ],
)
def test_a_price_that_cannot_be_charged_is_refused_where_it_is_typed(typed, currency):
    with pytest.raises(ValidationError):
        PriceField(currency=currency).clean(typed)


@given(st.text(max_size=30) | st.decimals().map(str), st.sampled_from(["GBP", "JPY", "KWD", "ISK"]))
def test_whatever_is_typed_is_chargeable_or_refused(typed, currency):
    try:
        amount = PriceField(currency=currency, required=False).clean(typed)
    except ValidationError:
        return
    if amount is not None:
        check_chargeable(amount)


def test_a_price_comes_back_as_it_was_typed_and_unchanged():
    field = PriceField(currency="KWD")
    assert str(field.prepare_value(Money(5120, "KWD"))) == "5.120"
    assert not field.has_changed(Money(5120, "KWD"), "5.120")
    assert field.has_changed(Money(5120, "KWD"), "5.130")


@pytest.mark.parametrize(
    ("amount", "half"),
    [
        (Money(4501, "GBP"), 2251),
        (Money(1, "GBP"), 1),
        (Money(0, "GBP"), 0),
        (Money(8401, "JPY"), 4201),
        (Money(12_350, "KWD"), 6_180),
        (Money(12_340, "KWD"), 6_170),
        (Money(500, "ISK"), 300),
    ],
)
def test_half_is_rounded_up_in_steps_of_the_currency(amount, half):
    assert half_of(amount) == Money(half, amount.currency)


@given(st.integers(0, 10**9), st.sampled_from(["GBP", "JPY", "KWD", "ISK"]))
def test_half_is_never_more_than_the_amount_and_never_less_than_half(steps, currency):
    step = limits_of(currency).step.minor
    half = half_of(Money(steps * step, currency)).minor
    assert half % step == 0
    assert 0 <= 2 * half - steps * step <= step


@pytest.mark.parametrize(
    ("minor", "currency", "payable"),
    [
        (1_234, "GBP", 1_234),
        (1_234, "JPY", 1_234),
        (1_234, "KWD", 1_230),
        (1_234, "HUF", 1_200),
        (99, "TWD", 0),
        (199, "ISK", 100),
    ],
)
def test_the_largest_amount_that_a_bank_can_be_paid(minor, currency, payable):
    assert largest_payable(Money(minor, currency)) == Money(payable, currency)
