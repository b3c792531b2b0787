"""Currencies with other decimals, and amounts in more than one of them: CU-02 to CU-05 and CU-07 to CU-09."""

import pytest

from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from tests.money_bugs.world import Refused


def test_cu_02_a_refund_is_in_the_currency_of_its_payment(world):
    """Automattic/woocommerce-payments#5215: 1,000.00 rupees went back instead of their worth in the shop's currency."""
    sale = world.sell("98633.00", currency="INR")
    sale.line(1).shows(fee="9863.30", share="88769.70")
    with pytest.raises(Refused):
        sale.refund("1000.00", currency="GBP")
    refund = sale.refund()
    refund.succeeds()
    refund.shows(amount="98633.00", sent=9863300, fee="9863.30", share="88769.70")
    world.shows(currency="INR", A="0.00", platform="0.00")


def test_cu_03_three_decimals_are_charged_in_thousandths(world):
    """woocommerce/woocommerce-gateway-stripe#2720: a tenth of the price was charged."""
    sale = world.sell("35.200", currency="BHD")
    sale.shows(charged=35200)
    sale.line(1).shows(fee="3.520", share="31.680")
    world.shows(currency="BHD", A="31.680", platform="3.520")


def test_cu_04_a_currency_without_decimals_is_charged_as_it_is(world):
    """Paymenter/Paymenter#1258: a hundred times the price was charged."""
    sale = world.sell("80", currency="JPY")
    sale.shows(charged=80, paid="80")
    world.shows(currency="JPY", A="72", platform="8")


def test_cu_05_a_refund_without_decimals_is_sent_as_it_is(world):
    """stripe/stripe-sfcc-b2c-connector#31: a hundred times the refund was sent, and Stripe had no reason to refuse."""
    sale = world.sell("60000", currency="JPY")
    refund = sale.refund("500")
    refund.succeeds()
    refund.shows(sent=500, fee="50", share="450")
    sale.shows(refundable="59500")
    world.shows(currency="JPY", A="53550", platform="5950")


def test_cu_07_there_is_one_figure_for_what_was_paid(world):
    """Automattic/woocommerce-payments#4298: line, total and charge had three roundings of a converted coupon."""
    sale = world.sell("335.00", off="84.25")
    sale.shows(paid="250.75", charged=25075)
    sale.line(1).shows(amount="250.75", fee="25.08", share="225.67")
    refund = sale.refund("250.75")
    refund.succeeds()
    refund.shows(sent=25075)
    sale.shows(refundable="0.00")


def test_cu_08_what_was_captured_never_falls_below_zero(world):
    """jazzband/django-payments#470: cents were subtracted from a number of whole units."""
    sale = world.sell("30.00")
    refund = sale.refund()
    refund.succeeds()
    refund.shows(amount="30.00", sent=3000, fee="3.00", share="27.00")
    sale.shows(refunded="30.00", refundable="0.00")
    world.shows(A="0.00", platform="0.00")


def test_cu_09_a_refund_follows_the_order_and_not_the_rate_of_the_day(lectern):
    """antiwork/gumroad#5343: the refund was converted anew, so more went back than had been captured."""
    sale, half = lectern.open_sale("100.00", currency="USD"), lectern.open_sale("100.00", currency="USD")
    for each in (sale, half):
        each.pays()
        each.is_credited_as(Money(9200, "EUR"))
    refund, part = sale.refund(), half.refund("50.00")
    refund.succeeds()
    refund.shows(sent=10000, amount="100.00", fee="10.00", share="90.00")
    part.succeeds()
    part.shows(sent=5000, fee="5.00", share="45.00")
    lectern.shows(currency="USD", A="45.00", platform="5.00")
    assert balance_of(AccountKind.STRIPE_CLEARING, "EUR") == Money(2 * 9200, "EUR")
    with pytest.raises(Refused):
        half.refund("50.01")
