"""Checkout, and events in any order: CW-01, CW-02, CW-04, CW-06, CW-07, CW-09 and CW-10."""

from django.db import DatabaseError

from jobs.runner import drain
from payments.models import Order, WebhookEvent
from payments.tests.sample_domain import SAMPLE


def test_cw_01_a_payment_pays_one_order(world):
    """Automattic/woocommerce-payments#3784: an intent that a second order used again marked both as paid."""
    first, second = world.open_sale("100.00"), world.open_sale("100.00")
    second.pays(intent="pi_of_both")
    first.pays(intent="pi_of_both")
    second.shows(paid="100.00", due="0.00")
    first.shows(paid="0.00", due="100.00")
    world.shows(A="90.00", platform="10.00")


def test_cw_02_an_older_report_that_arrives_later_changes_nothing(world):
    """laravel/cashier-stripe#1201: the event that came last won, so a customer who had paid became incomplete."""
    sale = world.open_sale("30.00")
    sale.pays()
    sale.is_declined()
    sale.page_expires()
    sale.shows(paid="30.00", due="0.00")
    world.shows(A="27.00", platform="3.00")


def test_cw_04_money_for_a_cancelled_order_goes_back(world):
    """woocommerce/woocommerce-gateway-stripe#5703: the event of a late payment was skipped, and the money kept."""
    sale = world.open_sale("50.00")
    sale.is_cancelled()
    sale.place_is_gone()
    sale.pays(stripe_fee="1.05")
    sale.pays()
    sale.automatic_refund().succeeds()
    sale.shows(refunds=1, paid="50.00", refunded="50.00", refundable="0.00")
    world.shows(A="0.00", fees="0.00", costs="1.05", platform="-1.05")


def test_cw_06_what_has_ended_stays_so_and_an_error_is_not_swallowed(lectern):
    """managoat/fountain#158: a delayed event revived what was over, and one that met an error was never repeated."""
    ended = lectern.open_sale("30.00")
    ended.page_expires()
    ended.is_declined()
    assert Order.objects.get().state == Order.State.CANCELLED
    lectern.shows(A="0.00", platform="0.00")
    sale = lectern.open_sale("30.00")
    SAMPLE.fails_with = DatabaseError("the disk is full")
    sale.pays()
    sale.shows(paid="0.00")
    lectern.shows(A="0.00", platform="0.00")
    SAMPLE.fails_with = None
    for _ in range(2):
        WebhookEvent.objects.filter(state="waiting").update(run_after="2020-01-01T00:00:00Z")
        drain(WebhookEvent, seconds=5)
    sale.shows(paid="30.00")
    lectern.shows(A="27.00", platform="3.00")


def test_cw_07_a_refund_reported_before_its_payment_is_not_lost(world):
    """InsForge/InsForge#1674: the payment was stored later, with nothing refunded, and never counted again."""
    sale = world.open_sale("50.00")
    refund = sale.refund_at_stripe("20.00")
    sale.pays()
    refund.succeeds()
    refund.shows(amount="20.00", fee="2.00", share="18.00")
    sale.shows(refunds=1, refunded="20.00", refundable="30.00")
    world.shows(A="27.00", platform="3.00")


def test_cw_09_a_second_payment_for_the_last_place_goes_back(world):
    """pretix/pretix#74: money taken, no place, no refund."""
    first, second = world.open_sale("30.00"), world.open_sale("30.00")
    first.pays(stripe_fee="0.65")
    second.place_is_gone()
    second.pays(stripe_fee="0.65")
    refund = second.automatic_refund()
    refund.shows(amount="30.00")
    refund.succeeds()
    second.shows(refunds=1, refunded="30.00")
    world.shows(A="27.00", fees="3.00", costs="1.30", platform="1.70")


def test_cw_10_less_than_the_total_pays_nothing(world):
    """lunarphp/lunar#2202: the cart had grown since the payment was begun, and the order was marked as paid."""
    sale = world.open_sale("70.00", "30.00")
    sale.pays(amount="70.00")
    sale.shows(paid="0.00", due="100.00")
    world.shows(A="0.00", platform="0.00")


def test_cc_08_a_second_payment_goes_back_whenever_it_comes(world):
    """The same thread as the other CC-08, Automattic/woocommerce-payments#4358: one payment after the other."""
    sale = world.sell("45.00")
    sale.pays_again()
    refund = sale.automatic_refund()
    refund.shows(amount="45.00")
    refund.succeeds()
    sale.shows(paid="45.00", refunds=1, refunded="45.00")
    world.shows(A="40.50", platform="4.50")
