"""Two processes at once: CC-04, CC-06, CC-07 and CC-08, each on connections of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from jobs.runner import drain
from payments.models import Order, Payment, WebhookEvent
from payments.settlement import settle_payment
from payments.tests.factories import event_of, evidence_for, session_object
from payments.tests.sample_domain import SAMPLE
from payments.webhook.inbox import store_event
from tests.money_bugs.lectern import second_page_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Do all of them at the same moment, each on its own connection."""
    start = Barrier(len(actions))

    def run(action):
        start.wait()
        try:
            return action()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def paid_event(payment):
    return event_of("checkout.session.completed", session_object(payment))


def receive(event):
    """As two deliveries of one event do: both store it, and a worker performs what was stored."""
    store_event(event, source="webhook")
    drain(WebhookEvent, seconds=5)


def test_cc_04_return_and_event_together_make_one_order(lectern):
    """medusajs/medusa#13301: the browser's return and the event both processed the payment."""
    sale = lectern.open_sale("60.00")
    event = paid_event(sale.payment)
    at_once(lambda: settle_payment(evidence_for(sale.payment)), lambda: receive(event))
    sale.shows(paid="60.00", due="0.00")
    lectern.shows(A="54.00", platform="6.00")
    assert Order.objects.count() == 1


def test_cc_06_four_clicks_are_one_charge(at_stripe):
    """Attendize/Attendize#982: four clicks under load made four orders and four charges."""
    sale = at_stripe.open_sale("25.00")
    pages = at_once(*[sale.begin_checkout] * 4)
    assert {page.pk for page in pages} == {sale.payment.pk}
    assert sale.pays().ok
    at_stripe.works()
    assert (Order.objects.count(), at_stripe.received()) == (1, 2500)
    at_stripe.shows(A="22.50", fees="2.50")


def test_cc_07_an_event_delivered_twice_at_once_delivers_once(lectern):
    """vm0-ai/vm0#10668: the check came before the transaction, so 60 credits were given for 30."""
    sale = lectern.open_sale("30.00")
    event = paid_event(sale.payment)
    at_once(*[lambda: receive(event)] * 2)
    lectern.shows(A="27.00", platform="3.00")
    sale.shows(paid="30.00")
    assert len(SAMPLE.delivered[sale.line(1).row.pk]) == 1


def test_cc_08_the_second_of_two_payments_goes_back(lectern):
    """Automattic/woocommerce-payments#4358: two processes paid one order, and both charges were kept."""
    sale = lectern.open_sale("45.00")
    second = second_page_of(sale.payment)
    at_once(*[lambda page=page: settle_payment(evidence_for(page)) for page in (sale.payment, second)])
    refund = sale.automatic_refund()
    refund.shows(amount="45.00")
    refund.succeeds()
    sale.shows(paid="45.00", refunds=1, refunded="45.00")
    lectern.shows(A="40.50", platform="4.50")
    statuses = Payment.objects.filter(order=sale.order).values_list("status", flat=True)
    assert sorted(statuses) == ["failed", "succeeded"]
