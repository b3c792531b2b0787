"""dj-stripe's tables follow Stripe, and never contain an API key."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from djstripe.models import APIKey, Charge, Event, PaymentIntent, Session

from jobs.models import ClaimLost
from jobs.runner import drain
from payments.models import MirrorSync, Payment, WebhookEvent
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, event_of, open_order, sample_offer
from payments.tests.test_checkout import press_pay, signed_in
from payments.tests.test_settlement import completed, receive
from payments.webhook.event_types import LISTENED_FOR
from payments.webhook.inbox import store_event
from payments.webhook.mirror import expired_events, read_into_mirror, request_object_copy

pytestmark = pytest.mark.django_db


def test_a_purchase_appears_in_the_mirror_without_a_key_being_stored(stripe_sandbox):
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get()
    stripe_sandbox.pay(payment.stripe_session_id)
    take_in_missed_events()
    WebhookEvent.objects.update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=10)
    MirrorSync.objects.update(run_after="2000-01-01T00:00Z")
    drain(MirrorSync, seconds=60)
    assert not MirrorSync.objects.exclude(state="done").exists(), list(
        MirrorSync.objects.values_list("object_type", "last_error")
    )
    payment.refresh_from_db()
    assert Session.objects.get(id=payment.stripe_session_id).stripe_data["status"] == "complete"
    assert PaymentIntent.objects.get(id=payment.stripe_payment_intent_id)
    assert Charge.objects.get().stripe_data["paid"]
    assert not APIKey.objects.exists()


def test_the_database_refuses_a_key():
    with pytest.raises(DatabaseError, match="not stored"), transaction.atomic():
        APIKey.objects.create(id="x", type="secret", secret="sk_test_" + "a" * 24, livemode=False)


def test_several_events_about_one_object_cause_one_call():
    for _ in range(5):
        request_object_copy({"object": "charge", "id": "ch_1"})
    assert MirrorSync.objects.count() == 1


def test_an_event_during_a_call_causes_another_call():
    request_object_copy({"object": "charge", "id": "ch_1"})
    MirrorSync.objects.update(state="running", attempts=1)
    claimed = MirrorSync.objects.get()
    request_object_copy({"object": "charge", "id": "ch_1"})
    with pytest.raises(ClaimLost):
        claimed.mark_done()
    assert MirrorSync.objects.get().state == "waiting"


@pytest.mark.parametrize("names_it", ["latest_charge", "charge"])
def test_the_charge_that_an_object_names_is_copied_with_it(names_it):
    request_object_copy({"object": "payment_intent", "id": "pi_1", names_it: "ch_1"})
    assert set(MirrorSync.objects.values_list("object_type", "object_id")) == {
        ("payment_intent", "pi_1"),
        ("charge", "ch_1"),
    }


@pytest.mark.parametrize("odd", [None, "", 7, {"id": "ch_1"}, ["ch_1"], "c" * 101])
def test_a_charge_named_in_an_unknown_way_is_ignored(odd):
    request_object_copy({"object": "payment_intent", "id": "pi_1", "latest_charge": odd})
    assert [sync.object_type for sync in MirrorSync.objects.all()] == ["payment_intent"]


def test_objects_unknown_to_djstripe_are_ignored():
    request_object_copy({"object": "invented", "id": "x"})
    request_object_copy({"id": "x"})
    request_object_copy({"object": ["charge"], "id": "x"})
    assert not MirrorSync.objects.exists()


@pytest.mark.parametrize("event_type", LISTENED_FOR)
def test_each_event_is_copied_to_djstripe_from_the_inbox_without_a_call(settings, event_type):
    settings.STRIPE_API_HOST = "http://127.0.0.1:1"  # nothing answers there
    event = event_of(event_type, {"id": "x_1", "object": "something"}, request={"id": "req_1", "idempotency_key": "k"})
    store_event(event, source="webhook")
    for _ in range(2):
        read_into_mirror(object_type="event", object_id=event["id"])
    kept = Event.objects.get()
    assert (kept.id, kept.type, kept.livemode, kept.request_id) == (event["id"], event_type, False, "req_1")
    assert (kept.data, kept.stripe_data, int(kept.created.timestamp())) == (event["data"], event, event["created"])
    assert not APIKey.objects.exists()


@pytest.mark.parametrize(
    "odd",
    [{"created": None}, {"created": 10**40}, {"request": None}, {"request": "req_1"}, {"api_version": None}],
    ids=str,
)
def test_an_event_with_odd_fields_is_still_copied(odd):
    event = event_of("customer.created", {"id": "cus_1"}, **odd)
    store_event(event, source="webhook")
    read_into_mirror(object_type="event", object_id=event["id"])
    assert Event.objects.get().stripe_data == event


@pytest.mark.parametrize(
    "make", [completed, lambda _: event_of("customer.created", {"id": "cus_1", "object": "customer"})]
)
def test_every_processed_event_is_queued_for_djstripe(make):
    event = make(open_order())
    receive(event)
    assert MirrorSync.objects.filter(object_type="event", object_id=event["id"], state="waiting").exists()


def test_the_copy_of_an_event_deleted_from_the_inbox_is_skipped():
    read_into_mirror(object_type="event", object_id="evt_gone")
    assert not Event.objects.exists()


def test_copies_of_events_are_deleted_when_those_of_the_inbox_are():
    event = event_of("customer.created", {"id": "cus_1"})
    store_event(event, source="webhook")
    read_into_mirror(object_type="event", object_id=event["id"])
    assert not expired_events(timedelta(days=31)).exists()
    Event.objects.update(djstripe_created=timezone.now() - timedelta(days=32))
    assert expired_events(timedelta(days=31)).count() == 1
