"""A delivery is signed, tried again while that can help, and given up with a mail to its owner when it cannot."""

import itertools
import json
import os
import subprocess
import sys
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.tests.factories import UserFactory
from jobs.tests.servers import database_url, wait_until
from notifications.delivery import render
from notifications.models import Mail
from webhooks.endpoints import delete_endpoint, enable_endpoint, rotate_secret, send_test, switch_off_endpoint
from webhooks.models import Delivery, Endpoint, EndpointSecret
from webhooks.replaying import ReplayRefused, replay_delivery, replay_since
from webhooks.tests.factories import delivery_to, endpoint_and_secret, endpoint_at, ring, send_due, sent

pytestmark = pytest.mark.django_db


def verify(secret, message):
    return Webhook(secret).verify(message.body, message.headers)


def mails(kind):
    return list(Mail.objects.filter(template=f"webhooks/mail/{kind}").order_by("pk"))


# --- What is sent


def test_the_message_is_one_that_the_library_accepts(receiver):
    endpoint, secret = endpoint_and_secret(receiver.url)
    number = ring(endpoint.user)
    [delivery] = send_due()
    [message] = receiver.messages
    payload = verify(secret, message)
    assert payload == {
        "id": message.headers["webhook-id"],
        "type": "bell.rung",
        "version": 1,
        "timestamp": f"{delivery.event.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "data": {"bell": number},
    }
    assert message.headers["content-type"] == "application/json"
    assert (delivery.state, delivery.tries, delivery.answer_status) == ("done", 1, 200)
    assert delivery.answer_beginning == "thanks"
    assert delivery.duration_ms >= 0


def test_a_changed_message_or_another_secret_is_not_accepted(receiver):
    endpoint, secret = endpoint_and_secret(receiver.url)
    ring(endpoint.user)
    send_due()
    [message] = receiver.messages
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(message.body.replace(b"bell.rung", b"bell.sung"), message.headers)
    _, other = endpoint_and_secret(receiver.url)
    with pytest.raises(WebhookVerificationError):
        verify(other, message)


def test_while_a_secret_is_replaced_both_are_right_and_then_only_the_new_one(receiver):
    endpoint, old = endpoint_and_secret(receiver.url)
    new = rotate_secret(endpoint_id=endpoint.pk)
    ring(endpoint.user)
    send_due()
    assert verify(old, receiver.messages[0]) == verify(new, receiver.messages[0])
    EndpointSecret.objects.filter(endpoint=endpoint).exclude(ends_at=None).update(
        created_at=timezone.now() - timedelta(days=2), ends_at=timezone.now() - timedelta(seconds=1)
    )
    ring(endpoint.user)
    send_due()
    verify(new, receiver.messages[1])
    with pytest.raises(WebhookVerificationError):
        verify(old, receiver.messages[1])


def test_a_leaked_secret_ends_at_once(receiver):
    endpoint, old = endpoint_and_secret(receiver.url)
    new = rotate_secret(endpoint_id=endpoint.pk, is_leaked=True)
    ring(endpoint.user)
    send_due()
    verify(new, receiver.messages[0])
    with pytest.raises(WebhookVerificationError):
        verify(old, receiver.messages[0])


def test_every_try_has_the_same_id_and_body_and_a_time_of_its_own(receiver, time_passes):
    delivery = delivery_to(receiver.url)
    receiver.status = 500
    sent(delivery)
    time_passes()
    receiver.status = 204
    assert sent(delivery).state == "done"
    first, second = receiver.messages
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert (delivery.tries, delivery.answer_status) == (2, 204)


# --- Trying again


@pytest.mark.parametrize("status", [301, 400, 401, 404, 408, 422, 429, 500, 502, 503, 599])
def test_every_other_answer_is_tried_again(receiver, status):
    receiver.status = status
    delivery = sent(delivery_to(receiver.url))
    assert (delivery.state, delivery.tries, delivery.answer_status) == ("waiting", 1, status)
    assert timedelta(seconds=3) < delivery.run_after - timezone.now() < timedelta(seconds=8)
    assert f"The server answered {status}." in delivery.last_error


def test_no_answer_is_tried_again(receiver):
    receiver.close()
    delivery = sent(delivery_to(receiver.url))
    assert (delivery.state, delivery.tries, delivery.answer_status) == ("waiting", 1, None)
    assert delivery.last_error == "The server refuses connections."


def test_the_delays_grow(receiver, time_passes):
    receiver.status = 500
    delivery = delivery_to(receiver.url)
    waits = []
    for _ in range(8):
        Endpoint.objects.update(paused_until=None)
        time_passes()
        waits.append((sent(delivery).run_after - timezone.now()).total_seconds())
    assert all(later > earlier * 1.1 for earlier, later in itertools.pairwise(waits)), waits
    assert waits[-1] > 5 * 2**7 * 0.7


@pytest.mark.parametrize("as_date", [False, True])
def test_the_server_may_ask_to_be_left_alone(receiver, as_date):
    receiver.status = 429
    moment = timezone.now() + timedelta(hours=2)
    receiver.headers = {"Retry-After": format_datetime(moment, usegmt=True) if as_date else "7200"}
    delivery = sent(delivery_to(receiver.url))
    assert abs(delivery.run_after - moment) < timedelta(minutes=1)
    assert delivery.attempts == 1


def test_what_it_asks_for_is_limited_to_a_day(receiver):
    receiver.status, receiver.headers = 503, {"Retry-After": "31536000"}
    delivery = sent(delivery_to(receiver.url))
    assert delivery.run_after < timezone.now() + timedelta(hours=24, minutes=1)


def test_other_messages_wait_as_well(receiver):
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    delivery = sent(delivery_to(receiver.url))
    ring(delivery.endpoint.user)
    send_due()
    assert len(receiver.messages) == 1
    waiting = Delivery.objects.exclude(pk=delivery.pk).get()
    assert (waiting.state, waiting.tries, waiting.attempts) == ("waiting", 0, 0)
    assert waiting.run_after > timezone.now() + timedelta(seconds=590)


def test_an_endpoint_that_keeps_failing_is_paused_and_one_success_ends_that(receiver, time_passes):
    receiver.status = 500
    endpoint = endpoint_at(receiver.url)
    for _ in range(3):
        ring(endpoint.user)
        send_due()
    endpoint.refresh_from_db()
    assert endpoint.failures_in_a_row == 3
    assert endpoint.paused_until > timezone.now() + timedelta(seconds=25)
    ring(endpoint.user)
    send_due()
    assert len(receiver.messages) == 3
    Endpoint.objects.update(paused_until=timezone.now())
    receiver.status = 200
    time_passes()
    send_due()
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.failures_in_a_row, endpoint.paused_until) == (None, 0, None)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_a_slow_endpoint_is_sent_no_more_than_two_messages_at_once(receiver):
    endpoint = endpoint_at(receiver.url)
    for _ in range(3):
        ring(endpoint.user)
    busy = Delivery.objects.order_by("pk")[:2].values("pk")
    Delivery.objects.filter(pk__in=busy).update(state="running", run_after=timezone.now() + timedelta(minutes=1))
    send_due()
    last = Delivery.objects.order_by("pk").last()
    assert (receiver.messages, last.state, last.postponements) == ([], "waiting", 1)


# --- Giving up


def test_after_the_last_try_it_is_given_up_and_the_owner_told_once_a_day(receiver):
    receiver.status, receiver.body = 500, b"Internal <b>error</b>"
    deliveries = [delivery_to(receiver.url)]
    endpoint = deliveries[0].endpoint
    ring(endpoint.user)
    Delivery.objects.update(attempts=Delivery.max_attempts - 1)
    assert {delivery.state for delivery in send_due()} == {"parked"}
    [mail] = mails("delivery_parked")
    assert mail.user == endpoint.user
    assert receiver.url in render(mail).text
    delivery = sent(deliveries[0])
    assert (delivery.last_error, delivery.answer_beginning) == ("The server answered 500.", "Internal <b>error</b>")


def test_gone_disables_the_endpoint_at_once(receiver):
    receiver.status = 410
    delivery = sent(delivery_to(receiver.url))
    delivery.endpoint.refresh_from_db()
    assert (delivery.state, delivery.answer_status, delivery.endpoint.is_enabled) == ("parked", 410, False)
    [mail] = mails("endpoint_disabled")
    assert "The server answered 410 Gone." in render(mail).text
    assert mails("delivery_parked") == []
    ring(delivery.endpoint.user)
    assert [each.state for each in send_due()] == ["parked", "parked"]
    assert len(receiver.messages) == 1


def test_days_of_failure_disable_it_and_switching_it_on_begins_afresh(receiver):
    receiver.status = 500
    delivery = delivery_to(receiver.url)
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=4, hours=23), failures_in_a_row=2)
    sent(delivery)
    assert Endpoint.objects.get().is_enabled
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=5, hours=1), paused_until=None)
    ring(delivery.endpoint.user)
    send_due()
    endpoint = Endpoint.objects.get()
    assert (endpoint.is_enabled, endpoint.disabled_because) == (False, "Every message failed for 5 days.")
    assert len(mails("endpoint_disabled")) == 1
    enable_endpoint(endpoint.pk)
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_because, endpoint.failing_since) == (True, "", None)


def test_an_owner_who_left_or_lost_the_role_is_sent_nothing(receiver):
    staff = UserFactory(is_staff=True, is_superuser=True)
    endpoint_at(receiver.url, user=staff, sees_everything=True)
    student = endpoint_at(receiver.url)
    ring(student.user, staff=True)
    type(staff).objects.filter(pk=staff.pk).update(is_superuser=False)
    type(staff).objects.filter(pk=student.user_id).update(is_active=False)
    assert {delivery.state for delivery in send_due()} == {"parked"}
    assert receiver.messages == []


def test_an_address_that_leads_inside_is_given_up_in_the_end_like_any_other(receiver, settings):
    delivery = delivery_to(receiver.url)
    settings.WEBHOOKS_MAY_STAY_HERE = False
    delivery = sent(delivery)
    assert (delivery.state, receiver.messages) == ("waiting", [])
    assert "https" in delivery.last_error


# --- Again


def test_what_arrived_or_was_given_up_can_be_sent_again_with_the_same_id(receiver):
    delivery = sent(delivery_to(receiver.url))
    replay_delivery(delivery)
    assert (sent(delivery).state, delivery.tries) == ("done", 2)
    Delivery.objects.update(state="parked")
    replay_delivery(delivery)
    assert (sent(delivery).state, delivery.tries) == ("done", 3)
    assert len({message.headers["webhook-id"] for message in receiver.messages}) == 1
    assert len({message.body for message in receiver.messages}) == 1


def test_all_since_a_time_or_only_the_failed_ones(receiver):
    endpoint = endpoint_at(receiver.url)
    for _ in range(4):
        ring(endpoint.user)
    send_due()
    old, given_up, *_ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    Delivery.objects.filter(pk=given_up.pk).update(state="parked")
    since = timezone.now() - timedelta(days=1)
    assert replay_since(endpoint_id=endpoint.pk, since=since, only_failed=True) == 1
    send_due()
    assert replay_since(endpoint_id=endpoint.pk, since=since, only_failed=False) == 3
    send_due()
    assert len(receiver.messages) == 4 + 1 + 3


def test_replaying_ends_a_pause_also_for_what_waits(receiver):
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    delivery = sent(delivery_to(receiver.url))
    ring(delivery.endpoint.user)
    send_due()
    receiver.status, receiver.headers = 200, {}
    replay_delivery(delivery)
    assert {each.state for each in send_due()} == {"done"}


def test_nothing_is_sent_again_while_the_endpoint_is_off_or_the_message_is_being_sent(receiver):
    delivery = sent(delivery_to(receiver.url))
    switch_off_endpoint(delivery.endpoint_id)
    with pytest.raises(ReplayRefused, match="on first"):
        replay_delivery(delivery)
    with pytest.raises(ReplayRefused, match="on first"):
        replay_since(endpoint_id=delivery.endpoint_id, since=timezone.now(), only_failed=False)
    enable_endpoint(delivery.endpoint_id)
    Delivery.objects.update(state="running", run_after=timezone.now() + timedelta(minutes=1))
    with pytest.raises(ReplayRefused, match="being sent"):
        replay_delivery(delivery)


def test_a_test_message_needs_no_subscription(receiver):
    endpoint, secret = endpoint_and_secret(receiver.url, event_types=["order.paid"])
    send_test(endpoint.pk)
    send_due()
    assert verify(secret, receiver.messages[0])["type"] == "webhook.test"


# --- Workers


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_deleted_while_its_message_is_sent_harms_nothing(receiver, woken):
    delivery = delivery_to(receiver.url)

    def delete(_message):
        delete_endpoint(delivery.endpoint_id)
        connection.close()

    receiver.before_answer = delete
    assert send_due() == []
    assert len(receiver.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_while_it_waits_for_the_answer_loses_nothing(receiver, woken, time_passes):
    endpoint, secret = endpoint_and_secret(receiver.url)
    ring(endpoint.user)
    killed = []

    def kill(_message):
        if not killed:
            killed.append(worker)
            worker.kill()

    receiver.before_answer = kill
    worker = subprocess.Popen(
        [sys.executable, "-m", "webhooks.tests.sending_process"],
        env={**os.environ, "DATABASE_URL": database_url()},
        cwd=django_settings.BASE_DIR,
        stderr=subprocess.PIPE,
    )
    _, errors = worker.communicate(timeout=90)
    assert killed, errors.decode()
    wait_until(lambda: len(receiver.messages) == 1, "the message arrived")
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("running", 0)
    assert send_due()[0].state == "running"
    time_passes()
    assert send_due()[0].state == "done"
    first, second = receiver.messages
    assert json.loads(first.body) == verify(secret, second)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
