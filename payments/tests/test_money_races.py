"""Refunds, disputes, payouts and maturity of the same money at the same moment: one wins, the other is told.

What each capability does twice at once is tested beside it; here different ones meet, in both orders.
"""

import pytest

from payments.earnings.maturing import mature_earning
from payments.models import Payout, Refund
from payments.payouts.requests import BelowMinimum, request_payout
from payments.refunds.plan import AmountDisputed, RefundExceedsRemaining
from payments.tests.factories import paid_order, refunded
from payments.tests.payout_factories import books_of
from payments.tests.races import at_once, before_the_commit, dispute_all, figures, matured_sale, one_waits_for_the_other

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("all_invariants_hold", "shares_mature_at_once"),
]


# --- Refunds and payouts ----------------------------------------------------------------------------------------------


def test_of_two_refunds_of_the_rest_one_is_made():
    payment = paid_order(2500, 1500)
    made, refused = sorted(at_once(*[lambda: refunded(payment)] * 2), key=lambda each: isinstance(each, Exception))
    assert (made.amount.minor, type(refused)) == (4000, RefundExceedsRemaining)
    assert figures() == {"stripe_clearing": 4000, "platform_fees": 400, "teacher_held": 3600}


def test_a_payout_that_was_claimed_before_the_refund_leaves_a_debt():
    payment, teacher = matured_sale()
    payout, refund = one_waits_for_the_other(
        lambda: request_payout(teacher=teacher, currency="GBP"), lambda: refunded(payment)
    )
    assert (payout.amount.minor, refund.amount.minor) == (3600, 4000)
    assert books_of(teacher) == (-3600, 3600)


def test_a_payout_after_the_refund_finds_nothing_to_pay():
    payment, teacher = matured_sale()
    refund, refused = one_waits_for_the_other(
        lambda: refunded(payment), lambda: request_payout(teacher=teacher, currency="GBP")
    )
    assert (refund.amount.minor, type(refused)) == (4000, BelowMinimum)
    assert books_of(teacher) == (0, 0)


@pytest.mark.parametrize("_round", range(3))
def test_refund_and_payout_at_once_promise_the_money_once_or_leave_a_debt(_round):
    payment, teacher = matured_sale()
    refund, payout = at_once(lambda: refunded(payment), lambda: request_payout(teacher=teacher, currency="GBP"))
    assert refund.amount.minor == 4000
    assert books_of(teacher) == ((0, 0) if isinstance(payout, BelowMinimum) else (-3600, 3600)), payout


# --- Disputes ---------------------------------------------------------------------------------------------------------


def test_a_refund_after_the_dispute_is_refused():
    payment, teacher = matured_sale()
    dispute, refused = one_waits_for_the_other(lambda: dispute_all(payment), lambda: refunded(payment))
    assert (dispute.has_changed, type(refused)) == (True, AmountDisputed)
    assert (Refund.objects.count(), books_of(teacher)) == (0, (0, 0))


def test_a_dispute_after_the_refund_takes_nothing_twice():
    payment, teacher = matured_sale()
    refund, dispute = one_waits_for_the_other(lambda: refunded(payment), lambda: dispute_all(payment))
    assert (refund.amount.minor, dispute.dispute.claimed_minor, dispute.dispute.excess_minor) == (4000, 0, 4000)
    assert (figures()["teacher_held"], books_of(teacher)) == (3600, (0, 0))


@pytest.mark.parametrize("is_payout_first", [True, False])
def test_dispute_and_payout_of_the_same_money_never_both_win(is_payout_first):
    payment, teacher = matured_sale()
    actions = [lambda: request_payout(teacher=teacher, currency="GBP"), lambda: dispute_all(payment)]
    first, second = one_waits_for_the_other(*(actions if is_payout_first else reversed(actions)))
    payout = first if is_payout_first else second
    assert isinstance(payout, Payout if is_payout_first else BelowMinimum)
    assert books_of(teacher) == ((-3600, 3600) if is_payout_first else (0, 0))
    assert figures()["teacher_held"] == 3600


# --- Maturity ---------------------------------------------------------------------------------------------------------


def test_a_share_matures_once_however_many_processes_try():
    line = paid_order(4000).order.lines.get()
    assert sorted(at_once(*[lambda: mature_earning(line.pk)] * 4)) == [False, False, False, True]
    assert books_of(line.teacher) == (3600, 0)


def test_a_refund_of_a_share_that_is_maturing_takes_it_where_it_is_then():
    payment = paid_order(4000)
    line = payment.order.lines.get()
    matured, refund = one_waits_for_the_other(lambda: mature_earning(line.pk), lambda: refunded(payment))
    assert (matured, refund.amount.minor) == (True, 4000)
    assert figures() == {"stripe_clearing": 4000, "platform_fees": 400, "teacher_held": 3600}


def test_a_share_that_is_being_refunded_matures_later_without_it():
    payment = paid_order(4000)
    line = payment.order.lines.get()
    refund, matured = before_the_commit(lambda: refunded(payment), lambda: mature_earning(line.pk))
    assert (refund.amount.minor, matured) == (4000, False)
    assert mature_earning(line.pk)
    assert books_of(line.teacher) == (0, 0)
