"""What codes take off lines: figures, scopes, stacking, and sums that always add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import Money
from money.limits import limits_of
from payments.discounts.codes import fold
from payments.discounts.rules import CurrencyTerms, DiscountableLine, Scope, Terms, effects_of


def lines_at(*amounts, currency="GBP", **fields):
    return [
        DiscountableLine(
            domain=fields.get("domain", "courses"),
            reference=str(place),
            teacher_id=fields.get("teacher", 1),
            amount=Money(amount, currency),
        )
        for place, amount in enumerate(amounts)
    ]


def percent(bps, **fields):
    return terms(percent_bps=bps, **fields)


def off(minor, *, least=0, currency="GBP", **fields):
    given_terms = CurrencyTerms(off=Money(minor, currency), least_spend=Money(least, currency))
    return terms(by_currency={currency: given_terms}, **fields)


def terms(*, percent_bps=None, by_currency=None, scope=Scope(), stackable=True, by_platform=False):  # noqa: B008
    return Terms(
        scope=scope,
        percent_bps=percent_bps,
        by_currency=by_currency or {},
        is_stackable=stackable,
        is_borne_by_platform=by_platform,
    )


def parts(codes, lines, currency="GBP"):
    return [list(effect.parts) for effect in effects_of(codes, lines, currency)]


def reasons(codes, lines, currency="GBP"):
    return [effect.reason for effect in effects_of(codes, lines, currency)]


@pytest.mark.parametrize(
    ("code", "amounts", "taken"),
    [
        (percent(1000), [600, 400], [60, 40]),
        (off(1000), [5000, 2000, 3000], [500, 200, 300]),
        (off(2500), [5000, 2000, 3000], [1250, 500, 750]),
        (off(5000), [12000], [5000]),
        (off(4500), [3000], [3000]),
        (percent(10_000), [999, 1], [999, 1]),
        (off(100), [1000, 1000, 1000], [34, 33, 33]),
        # 12.5 % of 0.99 is 0.12375
        (percent(1250), [99], [12]),
        (percent(50), [100], [1]),
    ],
)
def test_an_amount_is_taken_once_and_spread_by_largest_remainder(code, amounts, taken):
    assert parts([code], lines_at(*amounts)) == [taken]


@pytest.mark.parametrize(
    ("currency", "bps", "amount", "taken"),
    [("JPY", 1500, 999, 150), ("KWD", 1250, 12340, 1540), ("ISK", 3333, 100_000, 33_300), ("HUF", 1000, 17_505, 1751)],
)
def test_a_percentage_comes_in_whole_steps_of_the_currency(currency, bps, amount, taken):
    assert parts([percent(bps)], lines_at(amount, currency=currency), currency) == [[taken]]


def test_a_scope_leaves_other_lines_alone():
    mixed = [*lines_at(1000, domain="courses"), *lines_at(2000, domain="workshops", teacher=2)]
    for scope, expected in [
        (Scope(domain="workshops"), [0, 200]),
        (Scope(domain="courses", reference="0"), [100, 0]),
        (Scope(teacher_id=2), [0, 200]),
        (Scope(bearer_id=1), [100, 0]),
        (Scope(), [100, 200]),
    ]:
        assert parts([percent(1000, scope=scope)], mixed) == [expected]


def test_the_least_spend_counts_what_the_code_is_for():
    mixed = [*lines_at(4000, domain="courses"), *lines_at(9000, domain="workshops")]
    code = off(500, least=5000, scope=Scope(domain="courses"))
    assert reasons([code], mixed) == ["This code needs £50.00 of what it is for; your cart has £40.00."]
    assert parts([code], mixed) == [[0, 0]]
    assert parts([off(500, least=4000, scope=Scope(domain="courses"))], mixed) == [[500, 0]]


def test_percentages_come_first_and_each_code_takes_of_what_is_left():
    amounts = lines_at(10_000)
    assert parts([off(1000), percent(1000)], amounts) == [[1000], [1000]]
    assert parts([percent(5000), percent(5000)], amounts) == [[5000], [2500]]
    assert parts([percent(9000), off(2000)], amounts) == [[9000], [1000]]
    assert reasons([percent(10_000), off(2000)], amounts) == ["", "There is nothing left to take off."]


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (False, False)])
def test_a_code_that_cannot_be_combined_stays_alone(first, second):
    codes = [percent(1000, stackable=first), percent(2000, stackable=second)]
    assert reasons(codes, lines_at(1000)) == ["", "This code cannot be combined with the other one."]
    assert parts(codes, lines_at(1000)) == [[100], [0]]


@pytest.mark.parametrize(
    ("code", "amounts", "reason"),
    [
        (off(500, currency="EUR"), [1000], "This code is for EUR, but your cart is in GBP."),
        (percent(1000, scope=Scope(domain="workshops")), [1000], "This code is for nothing in your cart."),
        (percent(1000), [], "This code is for nothing in your cart."),
        (percent(1000), [0], "What this code is for is free already."),
        (terms(), [1000], "This code takes nothing off."),
    ],
)
def test_a_refusal_says_why(code, amounts, reason):
    assert reasons([code], lines_at(*amounts)) == [reason]


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        (" spring-10 ", "SPRING-10"),
        ("Spring 10", "SPRING10"),
        ("\uff33pring\u201310", "SPRING-10"),
        ("stra\u00dfe", "STRASSE"),
        ("ab", ""),
        ("", ""),
        ("x" * 41, ""),
        ("a\0bc", ""),
        ("sch\u00f6n", ""),
        ("-abc", ""),
    ],
)
def test_a_code_has_one_spelling(typed, folded):
    assert fold(typed) == folded


CURRENCIES = st.sampled_from(["GBP", "JPY", "KWD", "ISK"])


@given(st.data())
def test_discounts_never_exceed_a_line_and_add_up_to_the_effects(data):
    currency = data.draw(CURRENCIES)
    step = limits_of(currency).step.minor
    amount = st.integers(0, 5000).map(lambda steps: steps * step)
    lines = lines_at(*data.draw(st.lists(amount, min_size=1, max_size=6)), currency=currency)
    code = st.one_of(
        st.integers(1, 10_000).map(percent),
        st.integers(1, 9000).map(lambda steps: off(steps * step, currency=currency)),
    )
    effects = effects_of(data.draw(st.lists(code, max_size=4)), lines, currency)
    for place, line in enumerate(lines):
        taken = sum(effect.parts[place] for effect in effects)
        assert 0 <= taken <= line.amount.minor
        assert taken % step == 0
    for effect in effects:
        assert bool(effect.reason) == (effect.minor == 0)
