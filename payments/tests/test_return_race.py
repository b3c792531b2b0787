"""The student returns while Stripe's webhook is being processed: one of the two settles, the other changes nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from jobs.runner import drain
from notifications.models import Mail
from payments import outcomes as payment_outcomes
from payments.models import Order, Payment, WebhookEvent
from payments.pricing import price_cart
from payments.settlement import Settlement, settle_payment
from payments.tests.factories import cart_with, sample_offer
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_webhook_endpoint import deliver
from payments.webhook import event_handlers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outcomes(monkeypatch):
    """Hold both paths into settlement until the other has reached it; yields the result of each."""
    met, results = threading.Barrier(2), []

    def settle_at_once(evidence, **late):
        met.wait(timeout=20)
        answer = settle_payment(evidence, **late)
        results.append(answer[1])
        return answer

    monkeypatch.setattr(payment_outcomes, "settle_payment", settle_at_once)
    monkeypatch.setattr(event_handlers, "settle_payment", settle_at_once)
    return results


def at_once(*actions):
    """Run the actions at once, each on its own connection; returns their results."""

    def run(action):
        try:
            return action()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def work_on_events():
    # Some events are delayed for a moment; here they must race now.
    WebhookEvent.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=10)


@pytest.mark.parametrize("event_type", ["checkout.session.completed", "payment_intent.succeeded"])
@pytest.mark.parametrize("_round", range(5))
def test_return_page_and_webhook_at_once_have_one_winner_and_one_delivery(
    stripe_sandbox, perform_looks, outcomes, event_type, _round
):
    reference = sample_offer()
    cart = cart_with(reference)
    student = Client()
    student.force_login(cart.user)
    student.post("/checkout/", {"agreed": price_cart(cart).digest})
    payment = Payment.objects.get()
    stripe_sandbox.pay(payment.stripe_session_id)
    [event] = stripe_sandbox.get("events", type=event_type)["data"]

    def come_back():
        answer = student.get("/checkout/return/", {"session_id": payment.stripe_session_id})
        perform_looks()
        return answer

    def take_in():
        received = deliver(event, client=Client())
        work_on_events()
        return received

    returned, received = at_once(come_back, take_in)
    order = Order.objects.get()
    assert received.json() == {"status": "received"}
    assert returned.url == order.get_absolute_url()
    assert sorted(outcomes, key=str) == [Settlement.ALREADY_SETTLED, Settlement.SETTLED]
    assert order.is_paid
    assert SAMPLE.calls["fulfil", reference] == 1
    assert Mail.objects.filter(key=f"order:{order.number}:paid").count() == 1
    stored = WebhookEvent.objects.get()
    assert (stored.state, stored.order) == ("done", order)
    assert "Paid. Thank you!" in student.get(returned.url).content.decode()
