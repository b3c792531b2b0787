"""An event is written once, for those who may see it and want it, with the change that it is about."""

import pytest
from django.db import transaction

from accounts.tests.factories import TeacherFactory, UserFactory
from webhooks.announcing import View, announce, announcements_gathered, same_for_all
from webhooks.endpoints import switch_off_endpoint
from webhooks.models import Delivery, Event
from webhooks.tests.factories import BELL, endpoint_at, ring

pytestmark = pytest.mark.django_db


def seen_by(endpoint):
    return [delivery.event.data["bell"] for delivery in endpoint.deliveries.select_related("event").order_by("pk")]


def ring_and_fail(student):
    ring(student)
    raise ZeroDivisionError


def test_each_endpoint_of_the_people_concerned_gets_it():
    student, other = UserFactory(), UserFactory()
    first, second = endpoint_at(user=student), endpoint_at("https://school.example/2", user=student)
    strange, staff = endpoint_at(user=other), endpoint_at(sees_everything=True, event_types=["bell.rung"])
    number = ring(student, staff=True)
    assert [seen_by(one) for one in (first, second, strange, staff)] == [[number], [number], [], [number]]
    assert Event.objects.count() == 2


def test_an_endpoint_of_staff_gets_each_event_once_though_its_owner_is_concerned():
    person = UserFactory()
    staff = endpoint_at(user=person, sees_everything=True)
    number = ring(person, staff=True)
    assert seen_by(staff) == [number]


def test_a_teacher_is_found_by_their_profile():
    teacher = TeacherFactory()
    endpoint = endpoint_at(user=teacher.user)
    announce(BELL, subject="bell:a", views=same_for_all({"bell": 1}, teacher_id=teacher.pk))
    assert seen_by(endpoint) == [1]


def test_nothing_is_written_if_no_endpoint_wants_it(woken):
    student = UserFactory()
    endpoint_at(user=student, event_types=["order.paid"])
    ring(student, staff=True)
    assert not Event.objects.exists()
    assert Delivery not in woken


def test_a_repeat_adds_nothing():
    student = UserFactory()
    endpoint_at(user=student)
    for _ in range(2):
        announce(BELL, subject="bell:same", views=[View(data={"bell": 1}, user_id=student.pk)])
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_written_with_the_change_or_not_at_all(woken):
    student = UserFactory()
    endpoint_at(user=student)
    woken.clear()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ring_and_fail(student)
    assert not Event.objects.exists()
    assert woken == []
    with transaction.atomic():
        ring(student)
        assert woken == []
    assert woken == [Delivery]


def test_a_block_writes_its_events_in_one_statement(django_assert_num_queries):
    students = UserFactory.create_batch(5)
    for student in students:
        endpoint_at(user=student)
    with django_assert_num_queries(1), announcements_gathered():
        for student in students:
            ring(student)
    assert Delivery.objects.count() == 5
    with django_assert_num_queries(0), announcements_gathered():
        pass


def test_a_block_that_raises_writes_none_of_its_events():
    student = UserFactory()
    endpoint = endpoint_at(user=student)
    with announcements_gathered():
        kept = ring(student)
        with pytest.raises(ZeroDivisionError), announcements_gathered():
            ring_and_fail(student)
    assert seen_by(endpoint) == [kept]


def test_the_deliveries_of_an_endpoint_that_is_off_are_parked():
    student = UserFactory()
    endpoint = endpoint_at(user=student)
    switch_off_endpoint(endpoint.pk)
    ring(student)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("parked", "The endpoint was off when this happened.")
    assert delivery.finished_at is not None


def test_hostile_text_is_stored_as_it_is():
    student = UserFactory()
    endpoint_at(user=student)
    text = "'; DROP TABLE webhooks_event; -- %s \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")
    announce(BELL, subject=f"bell:{text}", views=[View(data={"bell": text}, user_id=student.pk)])
    assert Event.objects.get().data == {"bell": text}
