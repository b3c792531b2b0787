"""The life of a payout without a database: money is claimed once, and leaves or goes back once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entries import AccountKind, net_amounts
from money import Money
from payments.payouts.entries import (
    entries_of_giving_back,
    entries_of_payment,
    entries_of_request,
    entries_of_return,
)
from payments.payouts.rules import (
    GIVEN_BACK,
    LEFT,
    OPEN,
    Happening,
    HappeningNotPossible,
    Movement,
    PayoutStatus,
    ReturnNotPossible,
    after_return,
    may_happen,
    step_after,
)

S, H = PayoutStatus, Happening


def test_every_state_is_open_given_back_or_left():
    assert sorted([*OPEN, *GIVEN_BACK, *LEFT]) == sorted(PayoutStatus)


@pytest.mark.parametrize(
    ("status", "happening", "after", "movement"),
    [
        (S.REQUESTED, H.APPROVE, S.APPROVED, Movement.NONE),
        (S.REQUESTED, H.DECLINE, S.DECLINED, Movement.GIVE_BACK),
        (S.REQUESTED, H.RECORD_BANK_TRANSFER, S.PAID, Movement.PAY),
        (S.REQUESTED, H.CONFIRM, S.PAID, Movement.PAY),
        (S.APPROVED, H.DECLINE, S.DECLINED, Movement.GIVE_BACK),
        (S.APPROVED, H.SEND, S.SENT, Movement.NONE),
        (S.APPROVED, H.REFUSE, S.FAILED, Movement.GIVE_BACK),
        (S.APPROVED, H.CONFIRM, S.PAID, Movement.PAY),
        (S.SENT, H.SEND, S.SENT, Movement.NONE),
        (S.SENT, H.LOSE_ANSWER, S.UNKNOWN, Movement.NONE),
        (S.SENT, H.POSTPONE, S.APPROVED, Movement.NONE),
        (S.SENT, H.REFUSE, S.FAILED, Movement.GIVE_BACK),
        (S.SENT, H.CONFIRM, S.PAID, Movement.PAY),
        (S.UNKNOWN, H.SEND, S.UNKNOWN, Movement.NONE),
        (S.UNKNOWN, H.LOSE_ANSWER, S.UNKNOWN, Movement.NONE),
        (S.UNKNOWN, H.POSTPONE, S.APPROVED, Movement.NONE),
        (S.UNKNOWN, H.REFUSE, S.FAILED, Movement.GIVE_BACK),
        (S.UNKNOWN, H.CONFIRM, S.PAID, Movement.PAY),
        (S.FAILED, H.CONFIRM, S.PAID, Movement.CLAIM_AGAIN_AND_PAY),
        (S.DECLINED, H.CONFIRM, S.PAID, Movement.CLAIM_AGAIN_AND_PAY),
        (S.PAID, H.CONFIRM, S.PAID, Movement.NONE),
        (S.RETURNED, H.CONFIRM, S.RETURNED, Movement.NONE),
    ],
)
def test_each_step_leads_to_one_state_and_moves_the_money_it_must(status, happening, after, movement):
    step = step_after(status, happening)
    assert (step.status, step.movement) == (after, movement)
    assert may_happen(status, happening)


def test_nothing_else_can_happen():
    possible = sum(may_happen(status, happening) for status in PayoutStatus for happening in Happening)
    assert possible == 22


def test_what_cannot_happen_says_so():
    with pytest.raises(HappeningNotPossible, match=r"^A payout that is paid cannot decline\.$") as refused:
        step_after(S.PAID, H.DECLINE)
    assert (refused.value.status, refused.value.happening) == (S.PAID, H.DECLINE)
    with pytest.raises(HappeningNotPossible, match="cannot record bank transfer"):
        step_after(S.SENT, H.RECORD_BANK_TRANSFER)


def test_a_payout_that_was_sent_cannot_be_declined():
    assert not may_happen(S.SENT, H.DECLINE)
    assert not may_happen(S.UNKNOWN, H.DECLINE)


GBP = "GBP"
TEACHER = 7


def entries_for(movement, amount, cost):
    paid = entries_of_payment(amount, teacher_id=TEACHER, source=AccountKind.STRIPE_CLEARING, cost=cost)
    return {
        Movement.NONE: [],
        Movement.GIVE_BACK: entries_of_giving_back(amount, teacher_id=TEACHER),
        Movement.PAY: paid,
        Movement.CLAIM_AGAIN_AND_PAY: [*entries_of_request(amount, teacher_id=TEACHER), *paid],
    }[movement]


@given(
    happenings=st.lists(st.sampled_from(Happening), max_size=30),
    returns=st.lists(st.integers(1, 10_000), max_size=5),
    amount=st.integers(1, 10_000),
    cost=st.integers(0, 300),
)
def test_money_is_claimed_or_owed_or_gone_after_any_sequence(happenings, returns, amount, cost):
    """Whatever is repeated, reordered or late: the teacher has the money in exactly one place."""
    money, fee = Money(amount, GBP), Money(cost, GBP)
    books = {}
    post(books, entries_of_request(money, teacher_id=TEACHER))
    status, payments, returned = S.REQUESTED, 0, 0
    for happening in happenings:
        try:
            step = step_after(status, happening)
        except HappeningNotPossible:
            continue
        post(books, entries_for(step.movement, money, fee))
        payments += step.movement in (Movement.PAY, Movement.CLAIM_AGAIN_AND_PAY)
        status = step.status
    for part in returns:
        try:
            status = after_return(status, paid_minor=amount, returned_minor=returned, part_minor=part)
        except ReturnNotPossible:
            continue
        returned += part
        back = Money(part, GBP)
        post(books, entries_of_return(back, teacher_id=TEACHER, into=AccountKind.STRIPE_CLEARING, arrived=back))
    available = -books.get(AccountKind.TEACHER_AVAILABLE, 0)
    claimed = -books.get(AccountKind.TEACHER_IN_PAYOUT, 0)
    assert payments == (1 if status in LEFT else 0)
    assert claimed == (amount if status in OPEN else 0)
    assert available == -amount + (amount if status in GIVEN_BACK else 0) + returned
    assert -books.get(AccountKind.STRIPE_CLEARING, 0) == payments * (amount + cost) - returned
    assert books.get(AccountKind.PAYOUT_FEES, 0) == payments * cost
    assert (status == S.RETURNED) == (returned == amount)


def post(books, entries):
    for key, minor in net_amounts(entries).items():
        books[key.kind] = books.get(key.kind, 0) + minor


@given(paid=st.integers(1, 10_000), back=st.integers(0, 10_000), part=st.integers(-5, 10_000))
def test_never_more_comes_back_than_was_paid(paid, back, part):
    try:
        status = after_return(S.PAID, paid_minor=paid, returned_minor=back, part_minor=part)
    except ReturnNotPossible:
        assert part <= 0 or back + part > paid
    else:
        assert part > 0
        assert status == (S.RETURNED if back + part == paid else S.PAID)


@pytest.mark.parametrize("status", sorted(set(PayoutStatus) - LEFT))
def test_nothing_comes_back_of_what_never_left(status):
    with pytest.raises(ReturnNotPossible, match=f"5 of 10 after 0, {status.value}"):
        after_return(status, paid_minor=10, returned_minor=0, part_minor=5)


def test_a_conversion_there_and_back_costs_the_platform_not_the_teacher():
    """PO-03 (antiwork/gumroad#5175): 100.00 USD left, the reversal brings back 98.00."""
    owed, arrived = Money(10_000, "USD"), Money(9_800, "USD")
    entries = entries_of_return(owed, teacher_id=TEACHER, into=AccountKind.STRIPE_CLEARING, arrived=arrived)
    assert amounts(entries) == {
        ("stripe_clearing", "USD"): 9_800,
        ("platform_losses", "USD"): 200,
        ("teacher_available", "USD"): -10_000,
    }
    more = entries_of_return(owed, teacher_id=TEACHER, into=AccountKind.STRIPE_CLEARING, arrived=Money(10_050, "USD"))
    assert amounts(more)["platform_losses", "USD"] == -50


def test_a_return_in_another_currency_balances_in_both():
    entries = entries_of_return(
        Money(10_000, "USD"), teacher_id=TEACHER, into=AccountKind.STRIPE_CLEARING, arrived=Money(9_200, "EUR")
    )
    assert amounts(entries) == {
        ("stripe_clearing", "EUR"): 9_200,
        ("conversion", "EUR"): -9_200,
        ("conversion", "USD"): 10_000,
        ("teacher_available", "USD"): -10_000,
    }


def amounts(entries):
    return {(key.kind.value, key.currency): minor for key, minor in net_amounts(entries).items()}


@pytest.mark.parametrize(
    ("paid", "returned", "part", "after"),
    [(100, 40, 60, S.RETURNED), (100, 40, 59, S.PAID), (100, 0, 1, S.PAID), (1, 0, 1, S.RETURNED)],
)
def test_a_payout_has_returned_once_all_of_it_came_back(paid, returned, part, after):
    assert after_return(S.PAID, paid_minor=paid, returned_minor=returned, part_minor=part) == after


@pytest.mark.parametrize(("status", "returned", "part"), [(S.PAID, 40, 61), (S.PAID, 0, 0), (S.SENT, 0, 60)])
def test_more_than_was_paid_nothing_and_what_was_not_paid_cannot_come_back(status, returned, part):
    with pytest.raises(ReturnNotPossible, match=rf"^{part} of 100 after {returned}, {status.value}$"):
        after_return(status, paid_minor=100, returned_minor=returned, part_minor=part)
