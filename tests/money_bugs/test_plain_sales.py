"""Cases without any trap. The naive control passes them as well, so it is not simply broken."""

import pytest


def a_sale(world):
    sale = world.sell("100.00")
    world.shows(A="90.00", platform="10.00")
    sale.shows(paid="100.00", due="0.00", refunded="0.00", refundable="100.00", charged=10000)


def a_sale_of_three_teachers(world):
    world.sell("50.00", "20.00", "30.00", teachers="ABC")
    world.shows(A="45.00", B="18.00", C="27.00", platform="10.00")


def a_refund(world):
    sale = world.sell("100.00")
    refund = sale.refund()
    refund.succeeds()
    refund.shows(amount="100.00", fee="10.00", share="90.00", sent=10000, state="succeeded")
    sale.shows(refunded="100.00", refundable="0.00", refunds=1)
    world.shows(A="0.00", platform="0.00")


def a_partial_refund(world):
    sale = world.sell("100.00")
    sale.refund("25.00").succeeds()
    sale.shows(refunded="25.00", refundable="75.00")
    world.shows(A="67.50", platform="7.50")


def a_refund_of_a_line(world):
    sale = world.sell("50.00", "20.00", teachers="AB")
    sale.refund(line=2).succeeds()
    world.shows(A="45.00", B="0.00", platform="5.00")


def a_payment_reported_twice(world):
    sale = world.sell("100.00")
    sale.pays()
    world.shows(A="90.00", platform="10.00")


def a_lost_dispute(world):
    sale = world.sell("100.00")
    dispute = sale.dispute()
    dispute.is_lost()
    dispute.shows(state="lost")
    sale.shows(lost="100.00")
    world.shows(A="0.00", fees="0.00", costs="15.00")


def a_payout(world):
    world.sell("100.00").is_earned()
    payout = world.pay_out("A")
    payout.shows(amount="90.00", currency="GBP")
    payout.is_paid()
    payout.shows(state="paid")
    world.shows(A="0.00", platform="10.00")


SCENARIOS = [
    a_sale,
    a_sale_of_three_teachers,
    a_refund,
    a_partial_refund,
    a_refund_of_a_line,
    a_payment_reported_twice,
    a_lost_dispute,
    a_payout,
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_lectern_gets_simple_cases_right(world, scenario):
    scenario(world)
