"""Stripe stops answering while its port is open: pages answer at once, deliveries continue, and calls do not pile up."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from jobs import registry
from payments import circuit as circuits
from payments import gateway, middleware, outcomes, stripe_http
from payments.models import Payment
from payments.settlement import settle_payment
from payments.stripe_api import StripeUnreachable
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.test_checkout import press_pay, signed_in
from payments.tests.test_settlement import completed, receive
from payments.views import polling

pytestmark = pytest.mark.django_db


@contextmanager
def timed(*, at_most):
    began_at = time.monotonic()
    yield
    assert time.monotonic() - began_at < at_most


def test_all_calls_of_a_click_together_wait_no_longer_than_a_request_may(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(middleware, "SECONDS_FOR_STRIPE", 0.7)
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    cart.lines.update(quantity=2)  # the old page must be closed before a new one is opened
    with stripe_sandbox.frozen(), timed(at_most=1.5):
        response = press_pay(client, cart)
    assert response.status_code == 503
    assert int(response["Retry-After"]) >= 1


def test_a_hanging_call_is_not_repeated_beyond_its_time(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(stripe_http, "_SECONDS_PER_CALL", 1.0)
    payment = open_order()
    stripe_sandbox.fault("hang", method="GET", path="/v1/checkout/sessions/*", count=3, seconds=3)
    with timed(at_most=2.0), pytest.raises(StripeUnreachable):
        gateway.retrieve_session(payment.stripe_session_id)


def test_after_three_silent_calls_a_click_is_answered_at_once_and_again_normally_once_stripe_is_back(
    stripe_sandbox, monkeypatch
):
    monkeypatch.setattr(middleware, "SECONDS_FOR_STRIPE", 0.3)
    monkeypatch.setattr(circuits, "_FIRST_PAUSE_SECONDS", 1.0)
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    with stripe_sandbox.frozen():
        for _ in range(3):
            press_pay(client, cart)
        with timed(at_most=0.25):
            response = press_pay(client, cart)
    assert response.status_code == 503
    assert 1 <= int(response["Retry-After"]) <= 5
    assert "your cart is as you left it" in response.content.decode()
    monkeypatch.undo()
    time.sleep(1.2)
    assert press_pay(client, cart).status_code == 302
    assert len(stripe_sandbox.sessions_of(Payment.objects.get().reference)) == 1


def test_no_click_waits_for_the_probe_of_stripe(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(middleware, "SECONDS_FOR_STRIPE", 0.5)
    monkeypatch.setattr(circuits, "_FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(stripe_http, "_SECONDS_PER_CALL", 0.5)
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    with stripe_sandbox.frozen():
        for _ in range(3):
            press_pay(client, cart)
        for _ in range(8):
            time.sleep(0.25)  # longer than the pause, so each of these could be the probe
            with timed(at_most=0.4):
                assert press_pay(client, cart).status_code == 503
    ends_at = time.monotonic() + 5
    while (status := press_pay(client, cart).status_code) != 302 and time.monotonic() < ends_at:
        time.sleep(0.1)
    assert status == 302


def test_a_probe_that_could_not_start_is_started_by_a_later_call(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(circuits, "_FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(stripe_http, "_SECONDS_PER_CALL", 0.3)
    payment = open_order()

    def call():
        with pytest.raises(StripeUnreachable):
            gateway.retrieve_session(payment.stripe_session_id)

    class NoThread:
        def __init__(self, **_options):
            pass

        def start(self):
            raise RuntimeError("can't start new thread")

    with stripe_sandbox.frozen():
        monkeypatch.setattr(stripe_http.threading, "Thread", NoThread)
        for _ in range(3):
            call()
        monkeypatch.undo()
        monkeypatch.setattr(circuits, "_FIRST_PAUSE_SECONDS", 0.2)
        call()
    ends_at = time.monotonic() + 20
    circuit = stripe_http.http_client().circuit
    while circuit.seconds_until_probe is not None and time.monotonic() < ends_at:
        time.sleep(0.1)
    assert circuit.seconds_until_probe is None


@pytest.mark.django_db(transaction=True)
def test_of_a_crowd_that_clicks_only_as_many_threads_wait_as_there_are_places(stripe_sandbox, monkeypatch, settings):
    settings.STRIPE_CALLS_AT_ONCE = 2
    monkeypatch.setattr(circuits, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(middleware, "SECONDS_FOR_STRIPE", 3)
    carts = [cart_with(sample_offer()) for _ in range(8)]
    clients = [signed_in(cart.user) for cart in carts]
    seconds = []

    def click(client, cart):
        try:
            connections["default"].ensure_connection()
            began_at = time.monotonic()
            assert press_pay(client, cart).status_code == 503
            seconds.append(time.monotonic() - began_at)
        finally:
            connections.close_all()

    with stripe_sandbox.frozen():
        threads = [threading.Thread(target=click, args=pair) for pair in zip(clients, carts, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(seconds) == 8
    assert len([waited for waited in seconds if waited > 2.5]) == 2


def test_deliveries_do_not_notice_that_stripe_is_silent(stripe_sandbox):
    payment = open_order()
    with stripe_sandbox.frozen(), timed(at_most=2):
        receive(completed(payment))
    payment.order.refresh_from_db()
    assert payment.order.is_paid


def test_work_that_calls_stripe_shares_no_queue_with_deliveries_or_mails():
    queues = {model._meta.label: model.queue for model in registry.work_models()}
    asking = {"payments.Payment", "payments.ChargeLookup", "payments.Refund", "payments.MirrorSync"}
    assert asking <= {label for label, queue in queues.items() if queue == "stripe"}
    assert {queues["payments.WebhookEvent"], queues["notifications.Mail"]} == {"urgent", "default"}


def asked_of(monkeypatch):
    """Every call to Stripe for the state of a session."""
    asked, retrieve = [], gateway.retrieve_session

    def watch(session_id):
        asked.append(session_id)
        return retrieve(session_id)

    monkeypatch.setattr(gateway, "retrieve_session", watch)
    return asked


def wait_for_order(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    return client, Payment.objects.get()


def test_a_hundred_polls_cause_one_look(stripe_sandbox, perform_looks):
    client, payment = wait_for_order(stripe_sandbox)
    for _ in range(100):
        assert client.get(f"/my/orders/{payment.order.number}/status/").status_code == 200
        if Payment.objects.get().looks > 1:
            break
    assert perform_looks() <= 2


def test_looks_become_rarer_and_a_return_from_stripe_starts_over():
    payment = open_order()
    pauses = []
    for _ in range(8):
        payment.refresh_from_db()
        assert outcomes.take_look(payment)
        assert not outcomes.take_look(payment)  # another page that has read the same values
        payment.refresh_from_db()
        assert not outcomes.take_look(payment)
        pauses.append(pause_until_next_look(payment))
    # The test itself takes time, which the database's clock counts.
    expected = [2, 4, 8, 16, 32, 60, 60, 60]
    assert all(most - 2 <= pause <= most for pause, most in zip(pauses, expected, strict=True)), pauses
    Payment.objects.update(looked_at=timezone.now())
    assert not outcomes.take_look(payment, has_returned=True)
    payment.refresh_from_db()
    assert payment.looks == 1  # so the next page may ask after two seconds
    move_back(payment, 5)
    assert outcomes.take_look(payment, has_returned=True)
    payment.refresh_from_db()
    assert payment.looks == 1


def move_back(payment, seconds):
    payment.refresh_from_db()
    Payment.objects.update(looked_at=payment.looked_at - timedelta(seconds=seconds))


def pause_until_next_look(payment):
    """The seconds until another look is allowed; the attempts to find out are rolled back."""
    for seconds in range(1, 120):
        move_back(payment, 1)
        with transaction.atomic():
            is_time = outcomes.take_look(Payment.objects.get())
            transaction.set_rollback(True)
        if is_time:
            return seconds
    raise AssertionError("never")


def test_no_page_that_waits_for_a_payment_waits_for_stripe(stripe_sandbox, perform_looks):
    client, payment = wait_for_order(stripe_sandbox)
    order = f"/my/orders/{payment.order.number}/"
    with stripe_sandbox.frozen(), timed(at_most=1):
        for address in (order, f"{order}status/", f"/checkout/return/?session_id={payment.stripe_session_id}"):
            assert client.get(address).status_code in (200, 302)


def test_a_look_at_a_silent_stripe_is_no_error_and_a_later_one_settles(stripe_sandbox, perform_looks, monkeypatch):
    monkeypatch.setattr(stripe_http, "_SECONDS_PER_CALL", 0.3)
    client, payment = wait_for_order(stripe_sandbox)
    path = f"/my/orders/{payment.order.number}/status/"
    with stripe_sandbox.frozen():
        client.get(path)
        assert perform_looks() == 1
    stripe_sandbox.pay(payment.stripe_session_id)
    move_back(payment, 60)
    assert "Waiting for your payment" in client.get(path).content.decode()
    assert perform_looks() == 1
    assert "Paid. Thank you!" in client.get(path).content.decode()


def test_a_late_look_finds_the_order_settled_and_makes_no_call(stripe_sandbox, perform_looks, monkeypatch):
    client, payment = wait_for_order(stripe_sandbox)
    client.get(f"/my/orders/{payment.order.number}/status/")
    settle_payment(evidence_for(payment))
    asked = asked_of(monkeypatch)
    assert perform_looks() == 1
    assert asked == []


def test_a_page_polls_less_and_less_and_stops_after_half_an_hour():
    payment = open_order()
    client = signed_in(payment.order.user)
    polls, number = [], 0
    while (poll := polling.poll_after(payment.order, number)) is not None:
        polls.append(poll.seconds)
        number = poll.number
    assert polls[:15] == [1] * 15
    assert polls == sorted(polls)
    assert polls[-1] == 30
    assert 25 * 60 < sum(polls) < 35 * 60
    page = client.get(f"/my/orders/{payment.order.number}/status/", {"poll": number}).content.decode()
    assert "hx-get" not in page
    assert "Check again" in page


@pytest.mark.parametrize("poll", ["", "-1", "x", "1e9", "9" * 5000, "٣"])
def test_a_made_up_number_of_polls_is_answered(poll):
    payment = open_order()
    page = signed_in(payment.order.user).get(f"/my/orders/{payment.order.number}/status/", {"poll": poll})
    assert page.status_code == 200
    assert "hx-get" not in page.content.decode()


def test_a_paid_order_no_longer_polls():
    payment = open_order()
    settle_payment(evidence_for(payment))
    client = Client()
    client.force_login(payment.order.user)
    assert "hx-get" not in client.get(payment.order.get_absolute_url()).content.decode()
