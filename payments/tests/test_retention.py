"""Finished events are deleted after their time; those that need staff stay."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.tests.factories import UserFactory
from config.celery import app
from jobs import tasks
from jobs.retention import delete_expired, registered_retention
from payments.cart import change_quantity
from payments.models import Cart, CartLine, EventAttempt, MirrorSync, WebhookEvent
from payments.tests.factories import event_of

pytestmark = pytest.mark.django_db


def make_event(*, age=timedelta(days=366), state="done", **fields):
    event = WebhookEvent.objects.create(
        stripe_id=event_of("x", {})["id"], type="x", livemode=False, payload={}, state=state, **fields
    )
    WebhookEvent.objects.filter(pk=event.pk).update(created_at=Now() - age)
    EventAttempt.objects.create(event=event, milliseconds=1, outcome="done")
    return event


def delete_old(name="payments.webhook_events", **options):
    [kept] = [kept for kept in registered_retention() if kept.name == name]
    return delete_expired(kept, **options)


def left():
    return list(WebhookEvent.objects.order_by("pk"))


def test_a_finished_event_and_its_attempts_are_deleted_once_too_old(settings):
    settings.WEBHOOK_EVENTS_KEPT = timedelta(days=40)
    make_event(age=timedelta(days=40, seconds=5))
    younger = make_event(age=timedelta(days=40, seconds=-60))
    assert delete_old() == 1
    assert left() == [younger]
    assert [one.event for one in EventAttempt.objects.all()] == [younger]


def test_events_are_kept_a_year_unless_set_otherwise(settings):
    assert timedelta(days=365) == settings.WEBHOOK_EVENTS_KEPT


@pytest.mark.parametrize(
    "fields", [{"state": "waiting"}, {"state": "running"}, {"state": "parked"}, {"is_quarantined": True}]
)
def test_unfinished_events_stay_however_old(fields):
    event = make_event(age=timedelta(days=4000), **fields)
    assert delete_old() == 0
    assert left() == [event]
    assert event.tries.count() == 1


def test_batches_leave_nothing_over():
    for _ in range(5):
        make_event()
    assert delete_old(batch=2) == 5
    assert not left()


def delete_on_a_connection_of_its_own():
    try:
        return delete_old()
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_being_replayed_is_skipped():
    held = make_event()
    make_event()
    with transaction.atomic(), ThreadPoolExecutor(1) as elsewhere:
        WebhookEvent.objects.select_for_update().get(pk=held.pk)
        assert elsewhere.submit(delete_on_a_connection_of_its_own).result() == 1
    assert left() == [held]


def test_deletion_runs_once_a_day_however_often_it_is_called():
    make_event()
    tasks.delete_expired()
    assert not left()
    event = make_event()
    tasks.delete_expired()
    assert left() == [event]


def test_deletion_is_on_the_schedule():
    assert "jobs.delete_expired" in {entry["task"] for entry in app.conf.beat_schedule.values()}


def test_the_payload_is_not_read_to_be_deleted(django_assert_max_num_queries):
    make_event()
    with django_assert_max_num_queries(12) as queries:
        delete_old()
    assert not [query["sql"] for query in queries if '"payload"' in query["sql"]]


def test_a_finished_sync_is_deleted_and_a_parked_one_stays(settings):
    settings.FINISHED_SYNCS_KEPT = timedelta(days=30)
    for number, (state, age) in enumerate([("done", 31), ("done", 29), ("parked", 400), ("waiting", 400)]):
        sync = MirrorSync.objects.create(object_type="charge", object_id=f"ch_{number}", state=state)
        MirrorSync.objects.filter(pk=sync.pk).update(finished_at=Now() - timedelta(days=age))
    assert delete_old("payments.mirror_syncs") == 1
    assert set(MirrorSync.objects.values_list("object_id", flat=True)) == {"ch_1", "ch_2", "ch_3"}


def guest_cart(*, days_ago):
    cart = Cart.objects.create()
    CartLine.objects.create(cart=cart, domain="sample", reference="1", seen_unit_minor=1)
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now() - timedelta(days=days_ago))
    return cart


def test_only_abandoned_guest_carts_are_deleted():
    users = Cart.objects.create(user=UserFactory())
    Cart.objects.filter(pk=users.pk).update(updated_at=timezone.now() - timedelta(days=400))
    fresh = guest_cart(days_ago=29)
    for _ in range(3):
        guest_cart(days_ago=31)
    assert delete_old("payments.guest_carts", batch=2) == 3
    assert set(Cart.objects.all()) == {users, fresh}


def test_a_guests_cart_in_use_grows_no_older():
    cart = guest_cart(days_ago=31)
    change_quantity(cart=cart, line_id=cart.lines.get().pk, quantity=2)
    assert delete_old("payments.guest_carts") == 0
