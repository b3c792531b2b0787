"""Events processed in every order, at the same moment, too early, and with changed fields."""

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction
from django.utils import timezone

from jobs import runner
from jobs.runner import drain
from notifications.models import Alert, Mail
from payments import gateway, settlement
from payments.models import Order, Payment, Refund, WebhookEvent
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.sweeps import take_in_missed_events
from payments.tests.factories import (
    cart_with,
    event_of,
    evidence_for,
    intent_object,
    open_order,
    refund_object,
    sample_offer,
    session_object,
)
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_checkout import press_pay, signed_in
from payments.tests.test_settlement import completed, intent_paid, receive, stored, work_on_all
from payments.tests.test_webhook_endpoint import deliver
from payments.webhook.inbox import store_event
from payments.webhook.routing import ACTED_ON

pytestmark = pytest.mark.django_db


def session_event(event_type, **changes):
    return lambda payment: event_of(event_type, session_object(payment, **changes))


def intent_event(event_type, **changes):
    return lambda payment: event_of(event_type, intent_object(payment, **changes))


def charge_paid(payment):
    return event_of("charge.succeeded", {"id": f"ch_{payment.pk}", "object": "charge", "status": "succeeded"})


UNPAID = {"payment_status": "unpaid"}
DECLINED = {
    "status": "requires_payment_method",
    "amount_received": 0,
    "last_payment_error": {"type": "card_error", "message": "Your card was declined."},
}
bank_asked = session_event("checkout.session.completed", **UNPAID)
bank_is_slow = intent_event("payment_intent.processing", status="processing", amount_received=0)
declined = intent_event("payment_intent.payment_failed", **DECLINED)
# The events of one purchase, and the final states of order, line and payment; the mails about payment and failure.
PURCHASES = {
    "paid, and said to have expired": (
        [completed, intent_paid, charge_paid, session_event("checkout.session.expired", status="expired", **UNPAID)],
        ("completed", "fulfilled", "succeeded", 1, 0),
    ),
    "paid by bank debit": (
        [
            bank_asked,
            bank_is_slow,
            session_event("checkout.session.async_payment_succeeded"),
            intent_paid,
            charge_paid,
        ],
        ("completed", "fulfilled", "succeeded", 1, 0),
    ),
    "refused by the bank": (
        [bank_asked, bank_is_slow, declined, session_event("checkout.session.async_payment_failed", **UNPAID)],
        ("cancelled", "released", "failed", 0, 1),
    ),
    "never paid": (
        [
            session_event("checkout.session.expired", status="expired", **UNPAID),
            intent_event("payment_intent.canceled", status="canceled", amount_received=0),
        ],
        ("cancelled", "released", "expired", 0, 0),
    ),
}


def how_it_ended(payment, *, failure="debit-refused"):
    order = Order.objects.get(pk=payment.order_id)
    payment = Payment.objects.get(pk=payment.pk)
    mails = Mail.objects.filter(key__startswith=f"order:{order.number}:")
    return (
        order.state,
        order.lines.get().state,
        payment.status,
        mails.filter(key__endswith=":paid").count(),
        Mail.objects.filter(key=f"payment:{payment.pk}:{failure}").count(),
    )


@pytest.mark.parametrize("purchase", PURCHASES)
def test_every_order_of_a_purchases_events_has_the_same_result(purchase):
    tellings, expected = PURCHASES[purchase]
    for permutation in itertools.permutations(tellings):
        payment = open_order()
        events = [telling(payment) for telling in permutation]
        receive(*events)
        in_this_order = [event["type"] for event in events]
        assert how_it_ended(payment) == expected, in_this_order
        line = payment.order.lines.get()
        assert SAMPLE.calls["fulfil", line.reference] == (expected[1] == "fulfilled"), in_this_order
        assert payment.order.cart.lines.count() == (expected[0] == "cancelled"), in_this_order
    assert not WebhookEvent.objects.exclude(state="done").exists()
    assert not Refund.objects.exists()
    assert not Alert.objects.exists()


def test_a_decline_is_not_mailed_to_a_student_who_paid_after_all():
    for permutation in itertools.permutations([declined, completed, intent_paid, charge_paid]):
        payment = open_order()
        receive(*(telling(payment) for telling in permutation))
        assert how_it_ended(payment, failure="declined") == ("completed", "fulfilled", "succeeded", 1, 0)
    assert not WebhookEvent.objects.exclude(state="done").exists()


def refund_at_stripe(sandbox, method="pm_card_visa"):
    """A refund of a place that was gone, created at Stripe by our own worker."""
    good, gone = sample_offer(), sample_offer()
    cart = cart_with(good, gone)
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get(order__user=cart.user)
    sandbox.pay(payment.stripe_session_id, method)
    SAMPLE.undeliverable.add(gone)
    settle_payment(evidence_for(payment, payment_intent_id=sandbox.intent_of(payment)))
    drain(Refund, seconds=10)
    return Refund.objects.get(payment=payment)


def refund_told(refund, event_type, status):
    return event_of(event_type, refund_object(refund, status=status))


@pytest.mark.parametrize(
    ("method", "now"),
    [("pm_card_visa", "succeeded"), ("pm_card_pendingRefund", "pending"), ("pm_card_refundFail", "failed")],
)
def test_a_refund_gets_its_current_state_at_stripe_whatever_its_events_say(stripe_sandbox, method, now):
    refund = refund_at_stripe(stripe_sandbox, method)
    stripe_sandbox.switch("clock", advance=60)
    now = stripe_sandbox.get(f"refunds/{refund.stripe_refund_id}")["status"]
    for statuses in itertools.permutations(["pending", "succeeded", "failed"]):
        # A failed refund stays failed; the others are reset to their state before any report.
        Refund.objects.filter(pk=refund.pk).exclude(status="failed").update(status="pending", succeeded_at=None)
        receive(*(refund_told(refund, "refund.updated", status) for status in statuses))
        assert Refund.objects.get(pk=refund.pk).status == now, statuses
    assert not WebhookEvent.objects.filter(type="refund.updated").exclude(state="done").exists()


@pytest.mark.django_db(transaction=True)
def test_one_event_delivered_and_processed_by_twenty_at_once_takes_effect_once():
    reference = sample_offer()
    payment = open_order(reference)
    event = completed(payment)
    barrier = threading.Barrier(20)

    def deliver_and_work(_):
        try:
            barrier.wait(20)
            answer = deliver(event)
            runner.drain(WebhookEvent, seconds=10)
        finally:
            connections.close_all()
        return answer.status_code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(deliver_and_work, range(20)))
    assert answers == [200] * 20
    assert SAMPLE.calls["fulfil", reference] == 1
    assert how_it_ended(payment) == ("completed", "fulfilled", "succeeded", 1, 0)
    assert [payment.outcome for payment in stored(event).tries.all()] == ["settled"]


@pytest.mark.django_db(transaction=True)
def test_session_and_intent_processed_at_the_same_moment_deliver_once(monkeypatch):
    barrier = threading.Barrier(2)
    lock = settlement.lock_order_of

    def lock_at_once(evidence):
        barrier.wait(10)
        return lock(evidence)

    monkeypatch.setattr(settlement, "lock_order_of", lock_at_once)

    def work_on(event):
        try:
            runner.run(event)
        finally:
            connections.close_all()

    for _ in range(5):
        reference = sample_offer()
        payment = open_order(reference)
        both = [completed(payment), intent_paid(payment)]
        for event in both:
            store_event(event, source="webhook")
        WebhookEvent.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work_on, runner.claim(WebhookEvent, limit=2)))
        assert sorted(stored(event).outcome for event in both) == ["payment_already_processed", "settled"]
        assert SAMPLE.calls["fulfil", reference] == 1
        assert how_it_ended(payment) == ("completed", "fulfilled", "succeeded", 1, 0)


@pytest.mark.django_db(transaction=True)
def test_a_payment_reported_before_our_commit_of_its_session_waits_for_it(stripe_sandbox, monkeypatch):
    cart = cart_with(sample_offer())
    client, agreed = signed_in(cart.user), price_cart(cart).digest
    is_created, may_go_on = threading.Event(), threading.Event()
    create = gateway.create_session

    def create_and_linger(request, **fields):
        session = create(request, **fields)
        is_created.set()
        assert may_go_on.wait(30)
        return session

    monkeypatch.setattr(gateway, "create_session", create_and_linger)

    def press_pay():
        try:
            return client.post("/checkout/", {"agreed": agreed})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pressing = pool.submit(press_pay)
        try:
            assert is_created.wait(30)
            payment = Payment.objects.get()
            assert payment.stripe_session_id is None
            (session,) = stripe_sandbox.sessions_of(payment.reference)
            stripe_sandbox.pay(session["id"])
            take_in_missed_events()
            work_on_all()
            early = WebhookEvent.objects.get(type="checkout.session.completed")
            assert (early.state, early.attempts, early.is_quarantined) == ("waiting", 0, False)
            assert Order.objects.get().state == Order.State.AWAITING_PAYMENT
        finally:
            may_go_on.set()
        assert pressing.result().status_code == 302
    WebhookEvent.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
    runner.drain(WebhookEvent, seconds=10)
    assert how_it_ended(payment) == ("completed", "fulfilled", "succeeded", 1, 0)
    assert not WebhookEvent.objects.exclude(state="done").exists()


MISSING = object()
ODD_VALUES = [MISSING, None, "", "text", "x" * 300, 0, -1, 10**30, 1.5, True, [], ["x"], {}, {"id": ["x"]}]
# Fields that must be valid for a delivery, whatever Stripe sends instead.
DECISIVE = {"id", "payment_status", "amount_total", "amount_received", "currency", "livemode"}
# An intent's id is not known before it succeeds, so any text could be it; the session's id decides.
COULD_BE = {("id",): ("text",)}
PAYING = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "payment_intent.succeeded",
}


def test_an_event_of_a_session_that_is_never_stored_waits_ever_longer_and_alerts_in_the_end():
    payment = open_order()
    event_body = completed(payment)
    store_event(event_body, source="webhook")
    event = stored(event_body)
    Payment.objects.filter(pk=payment.pk).update(stripe_session_id=None)
    waits = []
    while event.state == "waiting":
        WebhookEvent.objects.update(run_after="2000-01-01T00:00Z")
        runner.drain(WebhookEvent, seconds=5)
        event.refresh_from_db()
        waits.append((event.run_after - timezone.now()).total_seconds())
    assert (event.state, len(waits)) == ("parked", 18)
    assert [round(wait) for wait in waits[:4]] == [1, 2, 4, 8]
    assert 6000 < sum(waits[:-1]) < 8000
    assert Alert.objects.get().key == f"webhook-event-parked:{event.type}"


def fields_of(payload):
    """Where each field is: at the top, and one level down."""
    for name, value in payload.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, inner) for inner in value)


def with_field(payload, path, value):
    *outer, name = path
    changed = {**payload}
    place = changed
    for step in outer:
        place[step] = {**place[step]}
        place = place[step]
    if value is MISSING:
        place.pop(name)
    else:
        place[name] = value
    return changed


ACTED_ON_AT_ONCE = {
    "checkout.session.completed": completed,
    "checkout.session.async_payment_succeeded": session_event("checkout.session.async_payment_succeeded"),
    "checkout.session.async_payment_failed": session_event("checkout.session.async_payment_failed", **UNPAID),
    "checkout.session.expired": session_event("checkout.session.expired", status="expired", **UNPAID),
    "payment_intent.succeeded": intent_paid,
    "payment_intent.payment_failed": declined,
}
# Of their objects only ids are read; what is acted on is fetched, at once or by a worker.
FETCHED = {
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "radar.early_fraud_warning.created",
    "radar.early_fraud_warning.updated",
    "transfer.created",
    "transfer.updated",
    "transfer.reversed",
    "customer.updated",
    "customer.deleted",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "payment_method.automatically_updated",
}


@pytest.mark.parametrize("event_type", sorted(FETCHED))
def test_a_fetched_event_without_a_readable_id_is_done_with_at_its_first_attempt(event_type):
    for odd in (None, 5, "", True, ["re_1"], {"id": "re_1"}):
        event = event_of(event_type, {"object": "something", "id": odd})
        receive(event)
        assert (stored(event).state, stored(event).attempts, stored(event).outcome) == ("done", 1, "not ours"), odd
    assert not Alert.objects.exists()


def test_the_fields_of_every_type_we_act_on_are_fuzzed():
    assert set(ACTED_ON_AT_ONCE) | FETCHED == ACTED_ON


def fuzz(original):
    """Receive the event with each field missing or of another type; yields the change and the result."""
    payload = original["data"]["object"]
    for path in fields_of(payload):
        for value in ODD_VALUES:
            savepoint = transaction.savepoint()
            event = event_of(original["type"], with_field(payload, path, value))
            receive(event)
            worked_on = stored(event)
            case = (path, value, worked_on.outcome, worked_on.last_error)
            # Neither retried for hours, as after a crash, nor dropped without an alert.
            assert (worked_on.state, worked_on.attempts) in [("done", 1), ("parked", 1)], case
            has_alert = Alert.objects.filter(key=f"webhook-event-parked:{event['type']}").exists()
            assert has_alert == (worked_on.state == "parked"), case
            yield path, value, worked_on
            transaction.savepoint_rollback(savepoint)


@pytest.mark.parametrize("event_type", ACTED_ON_AT_ONCE)
def test_a_field_missing_or_of_another_kind_is_done_without_or_alerts_at_once(stripe_sandbox, event_type):
    payment = open_order()
    for path, value, worked_on in fuzz(ACTED_ON_AT_ONCE[event_type](payment)):
        if path[0] in DECISIVE and event_type in PAYING and value not in COULD_BE.get(path, ()):
            assert worked_on.state == "parked", (path, value)
            assert not Order.objects.get(pk=payment.order_id).is_paid, (path, value)


def test_a_refunds_field_missing_or_of_another_kind_changes_nothing_or_alerts_at_once(stripe_sandbox):
    refund = refund_at_stripe(stripe_sandbox)
    for path, value, worked_on in fuzz(refund_told(refund, "refund.failed", "failed")):
        assert (worked_on.state == "parked") == (path == ("id",)), (path, value)
        assert Refund.objects.get(pk=refund.pk).status == "succeeded", (path, value)


def test_unknown_fields_are_ignored_in_every_type_we_act_on():
    for telling in ACTED_ON_AT_ONCE.values():
        event = telling(open_order())
        event["data"]["object"] |= {"invented": {"deeply": ["nested"]}}
        event |= {"invented": [1, 2, 3]}
        receive(event)
        assert stored(event).state == "done"


@pytest.mark.parametrize(
    "tampered",
    [
        {"client_reference_id": "another", "metadata": {"payment": "another"}},
        {"amount_total": 1},
        {"amount_total": 2501},
        {"currency": "jpy"},
        {"currency": "eur"},
        {"id": "cs_test_somebodys"},
    ],
    ids=str,
)
def test_a_signed_event_that_disagrees_with_the_order_is_quarantined_with_an_alert_and_delivers_nothing(tampered):
    payment, other = open_order(), open_order()
    event = completed(payment, **json.loads(json.dumps(tampered).replace("another", str(other.reference))))
    assert deliver(event).status_code == 200
    work_on_all()
    assert stored(event).is_quarantined
    assert Alert.objects.exists()
    assert set(Order.objects.values_list("state", flat=True)) == {Order.State.AWAITING_PAYMENT}
    assert not any(call[0] == "fulfil" for call in SAMPLE.calls)
