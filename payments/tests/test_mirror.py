"""dj-stripe's tables follow Stripe, and no key is ever written to one."""

import pytest
from django.db import DatabaseError, transaction
from djstripe.models import APIKey, Charge, PaymentIntent, Session

from jobs.models import ClaimLost
from jobs.runner import drain
from payments.models import MirrorSync, Payment, WebhookEvent
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, sample_offer
from payments.tests.test_checkout import press_pay, signed_in
from payments.webhook.mirror import ask_mirror_to_read

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


def test_several_events_about_one_object_become_one_reading():
    for _ in range(5):
        ask_mirror_to_read({"object": "charge", "id": "ch_1"})
    assert MirrorSync.objects.count() == 1


def test_an_event_during_a_reading_leads_to_another_reading():
    ask_mirror_to_read({"object": "charge", "id": "ch_1"})
    MirrorSync.objects.update(state="running", attempts=1)
    claimed = MirrorSync.objects.get()
    ask_mirror_to_read({"object": "charge", "id": "ch_1"})
    with pytest.raises(ClaimLost):
        claimed.mark_done()
    assert MirrorSync.objects.get().state == "waiting"


@pytest.mark.parametrize("names_it", ["latest_charge", "charge"])
def test_the_charge_an_object_names_is_read_with_it(names_it):
    ask_mirror_to_read({"object": "payment_intent", "id": "pi_1", names_it: "ch_1"})
    assert set(MirrorSync.objects.values_list("object_type", "object_id")) == {
        ("payment_intent", "pi_1"),
        ("charge", "ch_1"),
    }


@pytest.mark.parametrize("odd", [None, "", 7, {"id": "ch_1"}, ["ch_1"], "c" * 101])
def test_a_charge_that_is_named_in_no_way_we_know_is_left_alone(odd):
    ask_mirror_to_read({"object": "payment_intent", "id": "pi_1", "latest_charge": odd})
    assert [sync.object_type for sync in MirrorSync.objects.all()] == ["payment_intent"]


def test_objects_dj_stripe_does_not_know_are_left_alone():
    ask_mirror_to_read({"object": "invented", "id": "x"})
    ask_mirror_to_read({"id": "x"})
    ask_mirror_to_read({"object": ["charge"], "id": "x"})
    assert not MirrorSync.objects.exists()
