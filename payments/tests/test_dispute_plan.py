"""What a dispute takes of its payment and lines, without a database: exact over any sequence."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import Money
from money.shares import split_by_rate
from money.taking import NOTHING, Parts
from payments.disputes.claims import Standing, claim_of_movement, sums_of
from payments.disputes.plan import LineStanding, give_back, take_more
from payments.disputes.stripe_objects import StripeDisputeMovement


def standing(status, *, refundable=False, disputed=10000, withdrawn=0, reinstated=0):
    return Standing(
        status=status,
        is_charge_refundable=refundable,
        disputed=disputed,
        withdrawn=withdrawn,
        reinstated=reinstated,
    )


@pytest.mark.parametrize(
    ("state", "claim", "is_final"),
    [
        (standing("warning_needs_response", refundable=True), 0, False),
        (standing("warning_under_review", refundable=True), 0, False),
        (standing("warning_closed", refundable=True), 0, True),
        # Opened, and its withdrawal not booked yet: nothing may be refunded meanwhile.
        (standing("needs_response"), 10000, False),
        (standing("needs_response", withdrawn=10000), 10000, False),
        (standing("under_review", withdrawn=10000), 10000, False),
        # Won, but the money has not come back yet.
        (standing("won", withdrawn=10000, refundable=True), 10000, False),
        (standing("won", withdrawn=10000, reinstated=10000, refundable=True), 0, True),
        (standing("won", withdrawn=10000, reinstated=4000, refundable=True), 6000, True),
        (standing("lost", withdrawn=10000), 10000, True),
        (standing("lost", withdrawn=10000, reinstated=2500), 7500, True),
        (standing("lost"), 0, True),
        (standing("prevented"), 0, True),
        (standing("a status of next year"), 10000, False),
        (standing("a status of next year", refundable=True, withdrawn=500), 500, False),
        # A lost dispute may be reopened and won later.
        (standing("won", withdrawn=10000, reinstated=10001, refundable=True), 0, True),
    ],
)
def test_the_claim_follows_the_movements_and_what_may_still_be_taken(state, claim, is_final):
    assert (state.claim, state.is_final) == (claim, is_final)


def movement(minor, currency, rate=None):
    return StripeDisputeMovement(
        id="txn_1",
        amount=Money(minor, currency),
        fee=Money(0, currency),
        exchange_rate=Decimal(rate) if rate else None,
        happened_at=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("moved", "disputed", "taken", "claim"),
    [
        (movement(-10320, "GBP"), Money(10320, "GBP"), 0, 10320),
        (movement(4000, "GBP"), Money(10000, "GBP"), 10000, -4000),
        # 10,000 yen at 0.0053 pounds each: hundredths of a pound are not yen.
        (movement(-5300, "GBP", "0.0053"), Money(10000, "JPY"), 0, 10000),
        (movement(5300, "GBP", "0.0053"), Money(10000, "JPY"), 10000, -10000),
        (movement(2650, "GBP", "0.0053"), Money(10000, "JPY"), 10000, -5000),
        # Rounded to a penny at Stripe: 5333 yen are 28.2649 pounds.
        (movement(-2826, "GBP", "0.0053"), Money(5333, "JPY"), 0, 5333),
        # Given back at another rate: the whole, although fewer pounds than were taken.
        (movement(5000, "GBP", "0.005"), Money(10000, "JPY"), 10000, -10000),
        (movement(-2604, "GBP", "2.5"), Money(10416, "KWD"), 0, 10416),
        (movement(-2604, "GBP", None), Money(10416, "KWD"), 0, 10416),
        (movement(0, "GBP", "0.0053"), Money(10000, "JPY"), 0, 0),
        # Cards are charged, and so disputed, in hundredths of a dinar and whole krónur: 3.8515 and 333.3333.
        (movement(1001, "GBP", "2.599"), Money(10000, "KWD"), 10000, -3850),
        (movement(-200, "GBP", "0.006"), Money(100000, "ISK"), 0, 33300),
    ],
)
def test_a_movement_in_another_currency_is_converted_back_at_its_own_rate(moved, disputed, taken, claim):
    assert claim_of_movement(moved, disputed=disputed, taken=taken) == claim


def test_what_was_taken_and_given_back_are_summed_apart():
    assert sums_of([10000, -4000, 500, -500]) == (10500, 4500)
    assert sums_of([]) == (0, 0)


def line(amount, *, refunded=0, refunded_fee=0, tax=0):
    fee = split_by_rate(Money(amount - tax, "GBP"), 1000).fee.minor
    whole = Parts(amount=amount, fee=fee, tax=tax)
    return LineStanding(whole=whole, taken=Parts(amount=refunded, fee=refunded_fee))


def parts(lines):
    return [(each.own.amount, each.own.fee, each.own.share) for each in lines]


def test_a_dispute_takes_tax_that_the_platform_owes_in_proportion():
    lines = take_more([line(12000, tax=2000)], 6000, currency="GBP")
    assert lines[0].own == Parts(amount=6000, fee=500, tax=1000)
    assert give_back(lines, 3000, currency="GBP")[0].own == Parts(amount=3000, fee=250, tax=500)


def test_a_dispute_of_what_is_left_spares_a_refunded_line():
    """DI-03: lines of 50.00, 20.00 and 30.00, of which the last was refunded; 70.00 are disputed."""
    lines = [line(5000), line(2000), line(3000, refunded=3000, refunded_fee=300)]
    assert parts(take_more(lines, 7000, currency="GBP")) == [(5000, 500, 4500), (2000, 200, 1800), (0, 0, 0)]


def test_a_partial_dispute_is_spread_in_proportion():
    lines = take_more([line(5000), line(2000), line(3000)], 3000, currency="GBP")
    assert parts(lines) == [(1500, 150, 1350), (600, 60, 540), (900, 90, 810)]
    assert parts(give_back(lines, 1000, currency="GBP")) == [(1000, 100, 900), (400, 40, 360), (600, 60, 540)]


@pytest.mark.parametrize(
    ("currency", "taken", "given_back"),
    [("KWD", [3340, 3330, 3330], [1670, 1670, 1660]), ("ISK", [3400, 3300, 3300], [1700, 1700, 1600])],
)
def test_a_dispute_is_spread_in_steps_of_its_currency(currency, taken, given_back):
    lines = take_more([line(10_000)] * 3, 10_000, currency=currency)
    assert [each.own.amount for each in lines] == taken
    lines = give_back(lines, 5000, currency=currency)
    assert [each.own.amount for each in lines] == [
        all_of - part for all_of, part in zip(taken, given_back, strict=True)
    ]


@pytest.mark.parametrize(("function", "amount"), [(take_more, 101), (take_more, -1), (give_back, 1)])
def test_more_than_there_is_raises(function, amount):
    with pytest.raises(ValueError, match="of"):
        function([line(100)], amount, currency="GBP")


@given(
    st.lists(st.tuples(st.integers(1, 100_000), st.integers(0, 50)), min_size=1, max_size=5),
    st.lists(st.tuples(st.booleans(), st.integers(0, 10**6)), max_size=12),
)
def test_any_sequence_keeps_every_part_within_the_line_and_takes_all_in_the_end(amounts, steps):
    lines = [line(amount, tax=amount * percent // 100) for amount, percent in amounts]
    for is_taking, size in steps:
        most = sum(each.left if is_taking else each.own.amount for each in lines)
        function = take_more if is_taking else give_back
        before = sum(each.own.amount for each in lines)
        lines = function(lines, size % (most + 1), currency="GBP")
        change = size % (most + 1)
        assert sum(each.own.amount for each in lines) == before + (change if is_taking else -change)
        for each in lines:
            assert 0 <= each.own.fee <= each.whole.fee
            assert 0 <= each.own.share <= each.whole.share
            assert 0 <= each.own.tax <= each.whole.tax
            assert each.taken == each.own
    lines = take_more(lines, sum(each.left for each in lines), currency="GBP")
    assert [each.own for each in lines] == [each.whole for each in lines]
    lines = give_back(lines, sum(each.own.amount for each in lines), currency="GBP")
    assert [each.own for each in lines] == [NOTHING] * len(lines)
