"""How an event is matched to a payment of ours: by stored ids, or after confirmation by Stripe."""

import time

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs.runner import drain
from notifications.models import Alert
from payments import gateway, stripe_api
from payments.evidence import PaymentDisagrees
from payments.models import FetchedEvent, Order, Payment, WebhookEvent
from payments.settlement import settle_payment
from payments.tests.factories import (
    cart_with,
    event_of,
    evidence_for,
    intent_object,
    open_order,
    sample_offer,
    session_object,
)
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_checkout import press_pay, signed_in
from payments.tests.test_settlement import completed, intent_paid, receive, stored
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db
FOREIGN = {
    "client_reference_id": "shop-42",
    "metadata": {"basket": "7"},
    "id": "cs_test_of_a_shop",
    "payment_intent": "pi_of_a_shop",
}
ELSEWHERE = {
    "checkout.session.completed": lambda payment: session_object(payment, **FOREIGN),
    "checkout.session.expired": lambda payment: session_object(payment, status="expired", **FOREIGN),
    "checkout.session.async_payment_failed": lambda payment: session_object(payment, **FOREIGN),
    "payment_intent.succeeded": lambda payment: intent_object(
        payment, id="pi_of_a_shop", metadata={}, payment_details=None
    ),
    "payment_intent.payment_failed": lambda payment: intent_object(
        payment, id="pi_of_a_shop", metadata={}, payment_details=None
    ),
}


@pytest.mark.parametrize("event_type", ELSEWHERE)
def test_an_event_of_another_product_on_the_account_is_acknowledged_without_an_alert(event_type):
    payment = open_order()
    event = event_of(event_type, ELSEWHERE[event_type](payment))
    receive(event)
    assert (stored(event).state, stored(event).outcome, stored(event).is_quarantined) == ("done", "not ours", False)
    assert not Alert.objects.exists()
    assert Order.objects.get().state == Order.State.AWAITING_PAYMENT


@pytest.mark.parametrize("mode", ["setup", "subscription"])
def test_a_session_of_another_mode_is_not_ours(mode):
    foreign = {**FOREIGN, "mode": mode, "amount_total": None, "currency": None, "payment_status": "no_payment_required"}
    event = completed(open_order(), **foreign)
    receive(event)
    assert (stored(event).state, stored(event).outcome) == ("done", "not ours")
    assert not Alert.objects.exists()


def test_an_unreadable_object_of_another_product_raises_no_alert_either():
    event = event_of("checkout.session.completed", {"id": "cs_x", "object": "checkout.session", "metadata": ["odd"]})
    receive(event)
    assert (stored(event).state, stored(event).outcome) == ("done", "not ours")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"domain": "concerts", "order": "L1234ABCD"}, "Unknown domain concerts"),
        ({"domains": "concerts,sample"}, "Unknown domain concerts"),
        ({"domain": "sample", "order": "L1234ABCD"}, "Unknown order L1234ABCD"),
        ({"order": "L1234ABCD"}, "Unknown order L1234ABCD"),
        ({"payment": "gone"}, "Unknown order gone"),
    ],
    ids=str,
)
def test_metadata_that_names_something_unknown_is_logged_quarantined_alerted_and_replayable(metadata, words, caplog):
    payment = open_order()
    real_id = payment.stripe_session_id
    payment.stripe_session_id = "cs_test_unknown"
    event = event_of("checkout.session.completed", session_object(payment, **{**FOREIGN, "metadata": metadata}))
    receive(event)
    assert (stored(event).state, stored(event).is_quarantined) == ("parked", True)
    assert Alert.objects.filter(key=f"webhook-event-parked:{event['type']}").exists()
    assert any(words in record.getMessage() and record.levelname == "WARNING" for record in caplog.records)
    # Staff fix the cause and press retry.
    row = stored(event)
    row.payload["data"]["object"] |= {"id": real_id, "metadata": {}, "payment_intent": "pi_real"}
    row.save()
    assert row.retry_now()
    drain(WebhookEvent, seconds=5)
    assert stored(event).outcome == "settled"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"domain": "workshops"}, "but the order has no line of that"),
        ({"domains": "sample,workshops"}, "but the order has no line of that"),
        ({"domain": "concerts"}, "Unknown domain concerts"),
        ({"order": "L1234ABCD"}, "names another order"),
        ({"buyer": "999999"}, "names another buyer"),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [completed, intent_paid])
def test_metadata_that_contradicts_the_order_is_quarantined_and_delivers_nothing(make, metadata, words):
    payment = open_order()
    event = make(payment)
    event["data"]["object"]["metadata"] |= metadata
    receive(event)
    assert (stored(event).state, stored(event).is_quarantined) == ("parked", True)
    assert words in stored(event).last_error
    assert not Order.objects.get().is_paid
    assert not SAMPLE.calls["fulfil", payment.order.lines.get().reference]


@pytest.mark.parametrize("metadata", [{"domain": "mixed"}, {"domain": "sample"}, {}], ids=str)
def test_metadata_that_agrees_delivers(metadata):
    payment = open_order()
    event = completed(payment)
    event["data"]["object"]["metadata"] |= metadata | {"buyer": str(payment.order.user_id)}
    receive(event)
    assert stored(event).outcome == "settled"


def test_no_payment_required_with_an_amount_is_a_contradiction():
    payment = open_order()
    event = completed(payment, payment_status="no_payment_required", payment_intent=None)
    receive(event)
    assert stored(event).is_quarantined
    assert not Order.objects.get().is_paid


@pytest.mark.parametrize("make", [completed, intent_paid])
def test_an_intent_that_paid_another_order_is_a_contradiction_not_retried(make):
    paid, other = open_order(), open_order()
    settle_payment(evidence_for(paid))
    used = f"pi_{paid.reference.hex}"
    event = make(other, **({"payment_intent": used} if make is completed else {"id": used}))
    receive(event)
    assert (stored(event).state, stored(event).attempts, stored(event).is_quarantined) == ("parked", 1, True)
    assert not Order.objects.get(pk=other.order_id).is_paid


def test_an_intent_that_another_payment_takes_at_the_same_moment_is_a_contradiction(monkeypatch):
    payment = open_order()

    def another_was_quicker(*_, **__):
        raise IntegrityError("Key (stripe_payment_intent_id)=(pi_1) already exists.")

    monkeypatch.setattr(Payment, "save", another_was_quicker)
    with pytest.raises(PaymentDisagrees):
        settle_payment(evidence_for(payment))


def bought(sandbox):
    """A purchase that is paid at Stripe but not yet reported; returns its payment and payment intent."""
    cart = cart_with(sample_offer(), user=UserFactory())
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get(order__user=cart.user)
    sandbox.pay(payment.stripe_session_id)
    return payment, sandbox.get(f"payment_intents/{sandbox.intent_of(payment)}")


def test_an_intent_that_only_metadata_connects_is_confirmed_at_stripe_and_then_delivers(stripe_sandbox):
    payment, intent = bought(stripe_sandbox)
    event = event_of("payment_intent.succeeded", {**intent, "payment_details": None})
    store_event(event, source="webhook")
    WebhookEvent.objects.update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=5)
    assert not Order.objects.get().is_paid
    assert (stored(event).state, stored(event).needs_fetch) == ("waiting", True)
    drain(FetchedEvent, seconds=5)
    assert stored(event).outcome == "settled"
    assert [attempt.outcome for attempt in stored(event).tries.all()] == ["to be confirmed by Stripe", "settled"]
    assert Payment.objects.get(pk=payment.pk).stripe_payment_intent_id == intent["id"]


def test_a_foreign_intent_with_copied_metadata_and_the_right_amount_delivers_nothing(stripe_sandbox):
    payment, intent = bought(stripe_sandbox)
    event = event_of("payment_intent.succeeded", {**intent, "id": "pi_of_a_stranger", "payment_details": None})
    receive(event)
    assert (stored(event).state, stored(event).is_quarantined) == ("parked", True)
    assert "another intent belongs to its session" in stored(event).last_error
    assert not Order.objects.get(pk=payment.order_id).is_paid


def test_metadata_that_names_a_payment_of_another_intent_is_refused_without_a_call():
    payment = open_order()
    settle_payment(evidence_for(payment))
    event = intent_paid(payment, id="pi_of_a_stranger", payment_details=None)
    receive(event)
    assert stored(event).is_quarantined


def test_a_repeat_says_so_and_so_does_the_second_event_of_a_payment():
    payment = open_order()
    receive(completed(payment), second := intent_paid(payment))
    assert stored(second).outcome == "payment_already_processed"


def test_events_that_need_a_fetch_do_not_delay_deliveries(stripe_sandbox):
    payment, intent = bought(stripe_sandbox)
    stripe_sandbox.fault("hang", path="/v1/refunds/re_1", method="GET", seconds=30)
    refund = event_of("refund.updated", {"id": "re_1", "object": "refund", "payment_intent": intent["id"]})
    store_event(refund, source="webhook")
    store_event(completed(payment, payment_intent=intent["id"]), source="webhook")
    began_at = time.monotonic()
    drain(WebhookEvent, seconds=5)
    assert time.monotonic() - began_at < 5
    assert Order.objects.get().is_paid
    assert (stored(refund).state, stored(refund).attempts) == ("waiting", 0)
    assert FetchedEvent.queue != WebhookEvent.queue
    assert FetchedEvent.due().count() == 1


def test_a_fetch_that_is_not_answered_is_retried_later_each_time(stripe_sandbox, settings, monkeypatch):
    monkeypatch.setattr(stripe_api, "_NETWORK_RETRIES", 0)
    gateway._client.cache_clear()
    stripe_sandbox.fault("drop_reply", path="/v1/refunds/re_1", method="GET", count=50)
    event = event_of("refund.updated", {"id": "re_1", "object": "refund", "metadata": {"order": "L1"}})
    store_event(event, source="webhook")
    waits = []
    for attempt in (1, 2, 3, 4):
        FetchedEvent.objects.update(run_after="2000-01-01T00:00Z")
        drain(FetchedEvent, seconds=5)
        row = stored(event)
        assert (row.state, row.attempts, row.is_quarantined) == ("waiting", attempt, False)
        waits.append((row.run_after - timezone.now()).total_seconds())
    assert waits[0] < waits[2] < waits[3]
    assert not Alert.objects.exists()


def test_an_event_stored_before_it_had_a_fetch_changes_lanes():
    event = event_of("refund.updated", {"id": "re_1", "object": "refund", "metadata": {}})
    store_event(event, source="webhook")
    WebhookEvent.objects.update(needs_fetch=False, run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=5)
    assert (stored(event).state, stored(event).needs_fetch, stored(event).attempts) == ("waiting", True, 0)
