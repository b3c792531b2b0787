"""Endpoints are made within limits, also by requests sent at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.retention import delete_expired
from notifications.delivery import render
from notifications.models import Mail
from webhooks.endpoints import (
    ENDPOINTS_AT_MOST,
    EndpointRefused,
    change_endpoint,
    event_types_for,
    rotate_secret,
    send_test,
    switch_off_endpoint,
)
from webhooks.event_types import EventType, register_event_type
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event
from webhooks.retention import RETENTION
from webhooks.tests.factories import BELL, endpoint_and_secret, endpoint_at, ring

pytestmark = pytest.mark.django_db


def at_once(*actions):
    """Run the actions at the same moment, each on its own connection; returns their results or refusals."""
    together = Barrier(len(actions))

    def act(action):
        try:
            together.wait(30)
            return action()
        except EndpointRefused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def test_a_secret_is_random_and_of_the_form_of_the_standard():
    secrets = {endpoint_and_secret()[1] for _ in range(3)}
    assert len(secrets) == 3
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in secrets)


def test_the_owner_is_mailed():
    endpoint = endpoint_at("https://school.example/<b>")
    mail = Mail.objects.get(template="webhooks/mail/endpoint_created")
    assert mail.user == endpoint.user
    assert "&lt;b&gt;" in render(mail).html


def test_students_and_teachers_choose_from_what_concerns_them():
    student, teacher = UserFactory(), TeacherFactory().user
    for_student = {each.name for each in event_types_for(student)}
    for_teacher = {each.name for each in event_types_for(teacher)}
    for_staff = {each.name for each in event_types_for(student, sees_everything=True)}
    assert for_student < for_teacher
    assert {"order.cancelled", "order.paid"} < for_student
    assert for_teacher - for_student == {"payout.paid", "payout.failed", "dispute.opened", "dispute.closed"}
    assert for_staff == for_teacher
    assert "webhook.test" not in for_staff


@pytest.mark.parametrize(
    "changes",
    [
        {"event_types": []},
        {"event_types": ["no.such"]},
        {"event_types": ["webhook.test"]},
        {"event_types": ["payout.paid"]},
        {"url": "http://10.0.0.1/"},
        {"url": "javascript:alert(1)"},
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(changes):
    user = UserFactory()
    with pytest.raises(EndpointRefused):
        endpoint_at(**{"user": user, **changes})
    assert not Endpoint.objects.exists()
    endpoint = endpoint_at(user=user)
    with pytest.raises(EndpointRefused):
        change_endpoint(endpoint_id=endpoint.pk, **changes)
    assert Endpoint.objects.get().event_types == ["bell.rung"]


def test_an_address_is_used_once_by_each_person():
    user = UserFactory()
    endpoint_at(user=user)
    with pytest.raises(EndpointRefused, match="address"):
        endpoint_at(user=user)
    other = endpoint_at("https://school.example/2", user=user)
    with pytest.raises(EndpointRefused, match="address"):
        change_endpoint(endpoint_id=other.pk, url="https://school.example/hooks")
    endpoint_at()


def test_an_address_must_be_verified_first():
    user = UserFactory()
    EmailAddress.objects.filter(user=user).delete()
    with pytest.raises(EndpointRefused, match="verify"):
        endpoint_at(user=user)


@pytest.mark.django_db(transaction=True)
def test_the_number_is_limited_also_at_once(woken):
    user = UserFactory()
    for number in range(ENDPOINTS_AT_MOST - 1):
        endpoint_at(f"https://school.example/{number}", user=user)

    def add(name):
        return lambda: endpoint_at(f"https://school.example/{name}", user=user)

    outcomes = at_once(*map(add, "abcd"))
    assert sum(isinstance(outcome, EndpointRefused) for outcome in outcomes) == 3
    assert Endpoint.objects.count() == ENDPOINTS_AT_MOST


@pytest.mark.django_db(transaction=True)
def test_rotations_at_once_leave_one_current_secret(woken):
    endpoint = endpoint_at()
    outcomes = at_once(*[lambda: rotate_secret(endpoint_id=endpoint.pk)] * 4)
    assert sum(isinstance(outcome, EndpointRefused) for outcome in outcomes) == 2
    assert EndpointSecret.objects.filter(ends_at=None).count() == 1
    assert EndpointSecret.objects.count() == 3


def test_a_secret_that_ended_makes_room():
    endpoint = endpoint_at()
    for _ in range(2):
        rotate_secret(endpoint_id=endpoint.pk)
    with pytest.raises(EndpointRefused, match="still work"):
        rotate_secret(endpoint_id=endpoint.pk)
    long_ago = timezone.now() - timedelta(days=3)
    EndpointSecret.objects.exclude(ends_at=None).update(created_at=long_ago, ends_at=long_ago)
    rotate_secret(endpoint_id=endpoint.pk)
    assert EndpointSecret.objects.count() == 2


def test_tests_are_limited_and_need_an_endpoint_that_is_on():
    endpoint = endpoint_at()
    for _ in range(30):
        send_test(endpoint.pk)
    with pytest.raises(EndpointRefused, match="30 tests"):
        send_test(endpoint.pk)
    switch_off_endpoint(endpoint.pk)
    with pytest.raises(EndpointRefused, match="on first"):
        send_test(endpoint.pk)


@pytest.mark.parametrize("fields", [{"event_types": []}, {"disabled_because": "It failed."}])
def test_the_database_refuses_senseless_endpoints(fields):
    endpoint_at()
    with pytest.raises(IntegrityError), transaction.atomic():
        Endpoint.objects.update(**fields)


def test_a_kind_of_event_is_registered_once():
    with pytest.raises(ValueError, match="twice"):
        register_event_type(EventType(name=BELL.name, text="", audiences=BELL.audiences, fields={}))


def test_old_deliveries_and_then_their_events_are_deleted_but_not_what_waits(settings):
    settings.WEBHOOK_DELIVERIES_KEPT = timedelta(days=30)
    endpoint = endpoint_at()
    for _ in range(4):
        ring(endpoint.user)
    done, parked, waiting, young = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=done.pk).update(state="done")
    Delivery.objects.filter(pk=parked.pk).update(state="parked")
    Delivery.objects.filter(pk=young.pk).update(state="done")
    old = timezone.now() - timedelta(days=31)
    for model in (Delivery, Event):
        key = "pk" if model is Delivery else "deliveries"
        model.objects.filter(**{f"{key}__in": [done.pk, parked.pk, waiting.pk]}).update(created_at=old)
    for kept in RETENTION:
        delete_expired(kept, batch=1)
    assert set(Delivery.objects.values_list("pk", flat=True)) == {waiting.pk, young.pk}
    assert Event.objects.count() == 2
