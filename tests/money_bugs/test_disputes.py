"""Disputes: DI-01 to DI-09."""

import pytest

from tests.money_bugs.world import Refused


def test_di_01_disputed_money_is_not_refunded_as_well(world):
    """antiwork/gumroad#4358: the refund did not look at disputes, and the seller was debited twice."""
    sale = world.sell("100.00")
    dispute = sale.dispute()
    with pytest.raises(Refused):
        sale.refund("100.00")
    dispute.is_lost()
    dispute.shows(state="lost")
    world.shows(A="0.00", fees="0.00", costs="15.00", platform="-15.00")
    sale.shows(refunded="0.00", lost="100.00")


def test_di_02_a_dispute_that_was_won_gives_everything_back_but_its_fee(world):
    """antiwork/gumroad#2055: the win at Stripe never reached the books."""
    sale = world.sell("100.00")
    dispute = sale.dispute()
    dispute.is_won()
    dispute.shows(state="won")
    world.shows(A="90.00", fees="10.00", costs="15.00", platform="-5.00")
    sale.shows(refundable="100.00", lost="0.00")


def test_di_03_a_lost_dispute_takes_what_was_disputed(world):
    """Automattic/woocommerce-payments#6196: losing always booked a refund of the whole order."""
    sale = world.sell("50.00", "20.00", "30.00", teachers="ABC")
    sale.refund(line=3).succeeds()
    dispute = sale.dispute("70.00")
    sale.line(1).shows(fee_left="0.00", share_left="0.00")
    sale.line(2).shows(fee_left="0.00", share_left="0.00")
    dispute.is_lost()
    world.shows(A="0.00", B="0.00", C="0.00", platform="-15.00")
    sale.shows(refunded="30.00", lost="70.00", refundable="0.00")


def test_di_04_what_a_dispute_takes_beyond_the_payment_is_the_platforms(world):
    """polarsource/polar#8344: a loss above the payment, after exchange rates had moved, could not be booked at all."""
    sale = world.sell("100.00")
    sale.dispute("103.20").is_lost()
    world.shows(A="0.00", fees="0.00", costs="18.20", platform="-18.20")
    sale.shows(lost="103.20", refundable="0.00")


def test_di_05_the_fee_of_a_dispute_is_in_the_currency_of_the_account(world):
    """Automattic/woocommerce-payments#11327: 15.00 of the account's currency were read as 1,500 yen."""
    sale = world.sell("10000", currency="JPY")
    sale.dispute(settled="53.00", settled_in="GBP").is_lost()
    world.shows(currency="JPY", A="0", fees="0", costs="0", platform="0")
    world.shows(currency="GBP", A="0.00", fees="0.00", platform="-15.00")


def test_di_06_an_inquiry_moves_nothing(world):
    """Automattic/woocommerce-payments#794: shown as refunded from the beginning, and even after the answer."""
    sale = world.sell("100.00")
    inquiry = sale.dispute(is_inquiry=True)
    sale.shows(refunded="0.00", lost="0.00", refundable="100.00")
    inquiry.is_won()
    sale.shows(refunded="0.00", lost="0.00", refundable="100.00")
    world.shows(A="90.00", platform="10.00", costs="0.00")


def test_di_07_the_fee_is_booked_whatever_the_outcome(world):
    """opencollective/opencollective-api#10125: refunds were possible meanwhile, and the fee was booked only if lost."""
    sale = world.sell("100.00")
    dispute = sale.dispute()
    world.shows(costs="15.00")
    with pytest.raises(Refused):
        sale.refund("1.00")
    dispute.is_won()
    world.shows(A="90.00", fees="10.00", platform="-5.00")


def test_di_08_a_refunded_payment_that_is_disputed_costs_the_teacher_nothing_more(world):
    """juspay/hyperswitch#10533: refund and chargeback were never compared with the payment together."""
    sale = world.sell("10.00")
    sale.refund().succeeds()
    dispute = sale.dispute("10.00")
    dispute.shows(is_refunded_before="yes")
    dispute.is_lost()
    world.shows(A="0.00", fees="0.00", costs="25.00", platform="-25.00")
    sale.shows(refunded="10.00", lost="10.00")


def test_di_09_money_that_was_paid_out_before_a_chargeback_is_a_debt(world):
    """liberapay/liberapay.com#1421: neither a notice nor a claim; the hole was found in the yearly report."""
    sales = [world.sell("84.00", currency="EUR") for _ in range(6)]
    for sale in sales:
        sale.is_earned()
    world.pay_out("A", currency="EUR").is_paid()
    world.shows(currency="EUR", A="0.00", alerts=0)
    for sale in sales:
        sale.dispute().is_lost()
    world.shows(currency="EUR", A="-453.60", fees="0.00", costs="90.00", platform="-90.00", alerts=6)
    for sale in sales:
        sale.shows(lost="84.00")
