"""A payment sends Stripe the same request each time; if that is refused as too late, the order gets another payment."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.runner import drain
from payments import gateway, sessions
from payments.models import Order, OrderLine, Payment
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_checkout import press_pay, signed_in, take_in_and_work

pytestmark = pytest.mark.django_db


def stripe_is_down(sandbox):
    sandbox.fault("server_error", path="/v1/checkout/sessions", count=3)


def reply_is_lost(sandbox):
    sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)


def after(sandbox, **span):
    """Move both clocks, Stripe's and ours."""
    sandbox.switch("clock", advance=int(timedelta(**span).total_seconds()))
    return time_machine.travel(timezone.now() + timedelta(**span))


def test_the_whole_request_for_a_session_is_frozen_with_its_payment(stripe_sandbox, settings):
    cart = cart_with(sample_offer(), quantity=2)
    client = signed_in(cart.user)
    reply_is_lost(stripe_sandbox)
    press_pay(client, cart)
    frozen = Payment.objects.get().session_request
    (made,) = stripe_sandbox.sessions_of(Payment.objects.get().reference)

    cart.user.email = "moved@example.org"
    cart.user.save()
    settings.BASE_URL = "http://moved.example"
    OrderLine.objects.update(title="Renamed")

    assert press_pay(client, cart).url == made["url"]
    payment = Payment.objects.get()
    assert payment.session_request == frozen
    assert [session["id"] for session in stripe_sandbox.sessions_of(payment.reference)] == [made["id"]]
    stripe_sandbox.pay(made["id"])
    take_in_and_work()
    assert Order.objects.get().is_paid


def test_a_click_three_minutes_into_an_outage_creates_another_payment_for_the_same_order(stripe_sandbox):
    reference = sample_offer()
    cart = cart_with(reference)
    client = signed_in(cart.user)
    stripe_is_down(stripe_sandbox)
    assert press_pay(client, cart).status_code == 503
    with after(stripe_sandbox, minutes=3):
        response = press_pay(client, cart)
        first, second = Payment.objects.order_by("pk")
        assert response.url == second.session_url
        assert (first.status, second.status) == ("expired", "open")
        assert first.order == second.order == Order.objects.get()
        assert second.expires_at > timezone.now() + timedelta(minutes=30)
        assert SAMPLE.calls["reserve", reference] == 2
        assert SAMPLE.calls["release", reference] == 0
        assert [len(stripe_sandbox.sessions_of(payment.reference)) for payment in (first, second)] == [0, 1]
        stripe_sandbox.pay(second.stripe_session_id)
        take_in_and_work()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("expired", "succeeded")
    assert second.order.is_paid


def test_three_minutes_after_a_lost_reply_the_same_session_is_opened(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    reply_is_lost(stripe_sandbox)
    press_pay(client, cart)
    with after(stripe_sandbox, minutes=3):
        response = press_pay(client, cart)
    payment = Payment.objects.get()
    (made,) = stripe_sandbox.sessions_of(payment.reference)
    assert (response.url, payment.stripe_session_id) == (made["url"], made["id"])


def test_places_sold_during_the_outage_are_shown_and_the_order_is_cancelled_in_time(stripe_sandbox):
    reference = sample_offer()
    cart = cart_with(reference)
    client = signed_in(cart.user)
    stripe_is_down(stripe_sandbox)
    agreed = price_cart(cart).digest
    press_pay(client, cart)
    SAMPLE.places[reference] = 0
    with after(stripe_sandbox, minutes=3):
        assert press_pay(client, cart, agreed=agreed).url == "/cart/"
        payment = Payment.objects.get()
        assert (payment.status, payment.ended_at) == ("created", None)
    with after(stripe_sandbox, minutes=32):
        Payment.objects.update(run_after="2000-01-01T00:00Z")
        drain(Payment, seconds=5)
    payment.refresh_from_db()
    assert (payment.status, payment.order.state, payment.state) == ("expired", "cancelled", "done")
    assert SAMPLE.calls["release", reference] == 1


def test_an_order_whose_page_never_opened_waits_for_a_click_and_is_cancelled_with_its_places(stripe_sandbox):
    cart = cart_with(sample_offer())
    stripe_is_down(stripe_sandbox)
    press_pay(signed_in(cart.user), cart)
    with after(stripe_sandbox, minutes=3):
        Payment.objects.update(run_after="2000-01-01T00:00Z")
        drain(Payment, seconds=5)
    payment = Payment.objects.get()
    assert (payment.status, payment.state, payment.order.state) == ("created", "waiting", "awaiting_payment")
    # The database's clock, which counts, was not moved.
    assert payment.run_after + timedelta(minutes=3, seconds=5) > payment.expires_at


def test_a_payment_refused_at_once_for_its_expiry_is_not_retried_endlessly(stripe_sandbox):
    cart = cart_with(sample_offer())
    stripe_sandbox.switch("clock", advance=600)
    assert press_pay(signed_in(cart.user), cart).status_code == 503
    assert Payment.objects.get().status == "failed"


def test_the_order_of_a_session_that_stripe_does_not_know_can_be_cancelled(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    stripe_sandbox.switch("reset")
    payment = Payment.objects.get()
    page = client.post(f"/my/orders/{payment.order.number}/cancel/", follow=True)
    assert page.status_code == 200
    assert "The order is cancelled" in page.content.decode()
    payment.refresh_from_db()
    assert (payment.status, payment.order.state) == ("expired", "cancelled")
    assert press_pay(client, cart).status_code == 302


def test_a_changed_cart_can_be_paid_if_stripe_does_not_know_the_old_session(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    stripe_sandbox.switch("reset")
    cart.lines.update(quantity=2)
    assert press_pay(client, cart).status_code == 302
    assert Order.objects.filter(state="awaiting_payment").count() == 1


def test_invalid_keys_cancel_no_order_and_a_page_explains_the_outage(stripe_sandbox, settings):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    payment = Payment.objects.get()
    settings.STRIPE_SECRET_KEY = "sk_test_of_another_account0000000000"
    gateway._client.cache_clear()
    page = client.post(f"/my/orders/{payment.order.number}/cancel/", follow=True)
    assert page.status_code == 200
    assert "does not answer" in page.content.decode()
    payment.refresh_from_db()
    assert payment.order.state == Order.State.AWAITING_PAYMENT


def test_a_declined_card_shows_as_failed_until_a_later_try_succeeds(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    payment = Payment.objects.get()
    stripe_sandbox.pay(payment.stripe_session_id, method="pm_card_chargeDeclined")
    take_in_and_work()
    payment.refresh_from_db()
    assert (payment.status, payment.ended_at) == ("failed", None)
    assert "declined" in client.get(payment.order.get_absolute_url()).content.decode()
    assert press_pay(client, cart).url == payment.session_url
    stripe_sandbox.pay(payment.stripe_session_id)
    take_in_and_work()
    payment.refresh_from_db()
    assert (payment.status, payment.failure_message) == ("succeeded", "")
    assert payment.succeeded_at == payment.order.paid_at


def test_a_declined_payment_stays_failed_when_its_page_expires():
    payment = open_order()
    Payment.objects.update(status="failed")
    sessions.cancel_order(order_id=payment.order_id, reason="x", payment_status=Payment.Status.EXPIRED)
    payment.refresh_from_db()
    assert payment.status == "failed"
    assert payment.ended_at is not None


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "open", "ended_at": timezone.now()},
        {"status": "expired", "ended_at": None},
        {"status": "succeeded", "ended_at": timezone.now()},
        {"succeeded_at": timezone.now()},
        {"stripe_fee_minor": 5},
    ],
)
def test_the_database_refuses_a_status_that_contradicts_the_times(facts):
    open_order()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.update(**facts)


def test_an_order_has_one_payable_payment_and_one_success():
    payment = open_order()
    copy = {
        "order": payment.order,
        "amount_minor": payment.amount_minor,
        "currency": "GBP",
        "expires_at": payment.expires_at,
        "livemode": False,
    }
    another = {"reference": "0" * 32, "idempotency_key": "another"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(**copy, **another)
    settle_payment(evidence_for(payment))
    moment = {"ended_at": timezone.now(), "succeeded_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(**copy, **another, **moment, status="succeeded")


def test_a_payment_records_when_it_changed_but_not_its_follow_ups():
    payment = open_order()
    Payment.objects.update(updated_at="2000-01-01T00:00Z")
    Payment.objects.update(attempts=3, looks=2)
    payment.refresh_from_db()
    assert payment.updated_at.year == 2000
    Payment.objects.update(failure_message="Declined.")
    payment.refresh_from_db()
    assert timezone.now() - payment.updated_at < timedelta(minutes=1)
