"""Payouts: PO-01 to PO-03, PO-06 and PO-08; RF-06, RF-10, LB-01, LB-02, CU-01 and CU-06, which turn on them."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import UserFactory
from money import Money
from notifications.models import Alert
from payments.models import Payout
from payments.payouts.decisions import BankTransfer, DecisionRefused, pay_by_bank, record_bank_return
from payments.payouts.schedules import alert_late_payouts
from tests.money_bugs.world import Refused


def earned(world, *prices, **terms):
    """A sale whose shares are available to the teachers."""
    sale = world.sell(*prices, **terms)
    sale.is_earned()
    return sale


def test_po_01_a_refund_of_a_sale_that_was_paid_out_counts(world):
    """polarsource/polar#4428: the payout added up unpaid sales, and forgot the refund of one that was paid."""
    first = earned(world, "100.00")
    world.pay_out("A").is_paid()
    first.refund().succeeds()
    earned(world, "200.00")
    payout = world.pay_out("A")
    payout.shows(amount="90.00")
    payout.is_paid()
    world.shows(A="0.00", platform="20.00")


def test_po_02_a_tiny_amount_in_one_currency_does_not_hold_up_another(world):
    """antiwork/gumroad#5150: half a dollar below the minimum made the whole payout fail, every week."""
    world.has_minimum_payout("1.00", "USD")
    earned(world, "88.89", currency="EUR")
    earned(world, "0.56", currency="USD")
    paid = [world.pay_day("A") for _ in range(3)]
    assert [len(payouts) for payouts in paid] == [1, 0, 0]
    paid[0][0].shows(amount="80.00", currency="EUR", state="paid")
    world.shows(currency="EUR", A="0.00")
    world.shows(currency="USD", A="0.50")


def test_po_03_what_an_exchange_takes_on_the_way_back_is_the_platforms(world):
    """antiwork/gumroad#5175: each payout that came back was credited in the other currency as well."""
    earned(world, "111.11", currency="USD")
    payout = world.pay_out("A", currency="USD")
    payout.shows(amount="100.00")
    payout.is_paid()
    payout.comes_back(arrived="98.00")
    world.shows(currency="USD", A="100.00", fees="11.11", costs="2.00")
    world.shows(currency="EUR", A="0.00")
    again = world.pay_out("A", currency="USD")
    again.shows(amount="100.00")
    again.is_paid()
    world.shows(currency="USD", A="0.00")


def test_po_08_what_was_refunded_cannot_be_paid_out(world):
    """getdokan/dokan#1575: the commission was given back, but the vendor could still withdraw the sale."""
    sale = earned(world, "100.00")
    sale.refund().succeeds()
    with pytest.raises(Refused):
        world.pay_out("A")
    world.shows(A="0.00", fees="0.00")


def test_po_08_nor_what_was_refunded_in_stripes_dashboard(world):
    """The same thread: the result does not depend on the screen where the refund was made."""
    sale = earned(world, "100.00")
    sale.refund_at_stripe("100.00")
    with pytest.raises(Refused):
        world.pay_out("A")
    world.shows(A="0.00", fees="0.00")


def test_rf_06_a_refund_after_the_payout_is_a_debt_that_the_next_sale_pays(world):
    """antiwork/gumroad#1594: no refund was possible until the seller had paid money in."""
    sale = earned(world, "60.00")
    world.pay_out("A", "54.00").is_paid()
    sale.refund().succeeds()
    world.shows(A="-54.00", fees="0.00")
    earned(world, "100.00")
    world.shows(A="36.00", platform="10.00")
    payout = world.pay_out("A")
    payout.shows(amount="36.00")
    payout.is_paid()
    world.shows(A="0.00")


def test_rf_10_a_share_that_has_left_is_owed_and_not_claimed_twice(world):
    """alphagov/pay-connector#1249: pulling the share back failed, and only a line in a log said so."""
    sale = earned(world, "50.00")
    world.pay_out("A").is_paid()
    sale.refund().succeeds()
    sale.shows(refunded="50.00")
    world.shows(A="-45.00", platform="0.00")
    earned(world, "70.00")
    world.shows(A="18.00", platform="7.00")


def test_lb_02_money_in_flight_is_not_promised_again(world):
    """blnkfinance/blnk#181: only the settled balance was checked, so six requests of 10.00 passed on 50.00.

    Here a teacher has one open payout per currency, so each request waits for the one before.
    """
    earned(world, "55.56")
    world.shows(A="50.00")
    for left in ("40.00", "30.00", "20.00", "10.00", "0.00"):
        payout = world.pay_out("A", "10.00")
        with pytest.raises(Refused):
            world.pay_out("A", "50.00")
        payout.is_paid()
        world.shows(A=left)
    with pytest.raises(Refused):
        world.pay_out("A", "10.00")
    world.shows(A="0.00")


def test_cu_01_a_transfer_comes_back_in_its_own_currency(world):
    """antiwork/gumroad#6464: the figure of the books' currency was sent against a transfer in euros."""
    earned(world, "5.33", currency="EUR")
    payout = world.pay_out("A", currency="EUR")
    payout.shows(amount="4.80", currency="EUR")
    payout.is_paid()
    payout.comes_back()
    world.shows(currency="EUR", A="4.80", platform="0.53")
    world.shows(currency="USD", A="0.00", costs="0.00")


def test_cu_06_a_transfer_is_in_the_currency_of_the_sale(world):
    """NativePHP/nativephp.com#395: transfers were made in the teacher's currency, and every other one failed."""
    earned(world, "29.00", currency="USD")
    payout = world.pay_out("A", currency="USD")
    payout.shows(amount="26.10", currency="USD")
    payout.is_paid()
    payout.shows(state="paid")
    world.shows(currency="USD", A="0.00", platform="2.90")


def test_po_06_schedules_run_and_a_manual_payout_is_there_on_demand(lectern):
    """spree/spree#14606: nothing ran the sweep, "manual" had no trigger, and no payout was ever made."""
    sale = lectern.sell("100.00", "50.00", teachers="AB")
    sale.is_earned()
    (payout,) = lectern.pay_day("A")
    payout.shows(amount="90.00", state="paid")
    lectern.shows(A="0.00", B="45.00")
    late = lectern.pay_out("B")
    late.shows(amount="45.00", state="approved")
    Payout.objects.filter(reference=late.reference).update(requested_at=timezone.now() - timedelta(days=8))
    assert alert_late_payouts() == 1
    assert Alert.objects.filter(key="payouts-waiting", cleared_at=None).exists()
    late.is_paid()
    assert alert_late_payouts() == 0


def test_lb_01_a_payout_that_comes_back_costs_its_fee_once(lectern):
    """opencollective/opencollective#6230: the payout's fee was given back twice, so the balance had grown."""
    earned(lectern, "100.00")
    staff, teacher = UserFactory(is_staff=True), lectern.teacher("A")
    transfer = BankTransfer(paid_on=timezone.now().date(), last_four="1234", fee=Money(100, "GBP"))
    payout = pay_by_bank(
        teacher=teacher, amount=Money(9000, "GBP"), by=staff, transfer=transfer, reference=uuid.uuid4()
    )
    lectern.shows(A="0.00", costs="1.00", paid_out="90.00")
    record_bank_return(payout_id=payout.pk, by=staff, note="The account was closed.")
    lectern.shows(A="90.00", costs="1.00", fees="10.00", paid_out="0.00")
    with pytest.raises(DecisionRefused):
        record_bank_return(payout_id=payout.pk, by=staff, note="Reported again.")
    lectern.shows(A="90.00", costs="1.00")
