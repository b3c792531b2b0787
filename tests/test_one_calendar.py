"""People have one calendar: overlaps of lessons and workshops are named before they commit, and are allowed."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.models import Lesson
from bookings.tests import factories as lessons
from payments.appointments import overlaps_of
from payments.contracts import Appointment
from tests.market import signed_in
from workshops.handler import WorkshopHandler
from workshops.pairing import SessionPlan
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

pytestmark = pytest.mark.django_db
NOTICE = 'id="overlaps"'
TEN = (timezone.now() + timedelta(days=20)).replace(hour=10, minute=0, second=0, microsecond=0)


def workshop_at(hours, *, days=0, **fields):
    start = TEN + timedelta(days=days, hours=hours)
    return make_workshop(sessions=[SessionPlan(starts_at=start, ends_at=start + timedelta(hours=2))], **fields)


def put_into_cart(client, workshop):
    assert client.post(f"/workshops/{workshop.slug}/add/", {"quantity": "1"}).status_code in (200, 302)


def cart_page(client):
    return client.get("/cart/").content.decode()


@pytest.mark.parametrize("is_guest", [True, False])
def test_two_workshops_in_the_cart_at_once_are_named(is_guest):
    client = Client() if is_guest else signed_in(UserFactory())
    first, second, third = workshop_at(0, title="Bread"), workshop_at(1, title="Cheese"), workshop_at(2, title="Wine")
    put_into_cart(client, first)
    put_into_cart(client, third)
    assert NOTICE not in cart_page(client), "One that follows directly overlaps nothing."
    put_into_cart(client, second)
    page = cart_page(client)
    assert page.count("<li><bdi>") == 2
    assert "Pay £" in page or is_guest


def test_a_workshop_in_the_cart_at_the_time_of_a_paid_one_or_of_a_lesson_is_named():
    student = UserFactory()
    client = signed_in(student)
    put_into_cart(client, workshop_at(0, title="Cheese"))
    assert NOTICE not in cart_page(client)
    WorkshopHandler().fulfil(make_line(workshop_at(1, title="Bread"), buyer=student))
    assert "Bread" in cart_page(client)
    lesson, _ = lessons.confirmed_lesson(student=student, when=lessons.Slot(TEN, TEN + timedelta(hours=1)))
    page = cart_page(client)
    assert page.count("<li><bdi>") == 2
    assert lesson.title in page


def test_what_the_student_teaches_counts_and_their_own_hold_does_not():
    teacher = TeacherFactory()
    client = signed_in(teacher.user)
    workshop = workshop_at(0)
    put_into_cart(client, workshop)
    WorkshopHandler().reserve(make_line(workshop, buyer=teacher.user), in_half_an_hour())
    assert NOTICE not in cart_page(client)
    draft = workshop_at(1, teacher=teacher, title="Mine", is_published=False)
    assert NOTICE not in cart_page(client)
    client.post(f"/teach/workshops/{draft.slug}/publish/")
    assert NOTICE in cart_page(client)


def proposal(request, at, **changes):
    return {
        "time_1": f"{at:%Y-%m-%dT%H:%M}", "minutes": "60", "price": "40", "currency": "GBP", "where": "online", **changes
    }  # fmt: skip


@pytest.mark.parametrize("is_attending", [True, False])
def test_a_teacher_who_proposes_a_lesson_during_a_workshop_is_asked_first(is_attending):
    teacher = TeacherFactory(user=UserFactory(time_zone="UTC"))
    if is_attending:
        WorkshopHandler().fulfil(make_line(workshop_at(0, title="Cheese"), buyer=teacher.user))
    else:
        workshop_at(0, title="Cheese", teacher=teacher)
    request = lessons.open_request(teacher=teacher)
    client = signed_in(teacher.user)
    address = f"/teach/lessons/requests/{request.pk}/"
    sent = proposal(request, TEN + timedelta(minutes=30))
    page = client.post(address, sent).content.decode()
    assert "Cheese" in page
    assert "overlap what you have planned" in page
    assert not Lesson.objects.exists()
    assert client.post(address, sent | {"propose_anyway": "on"}).status_code == 302
    assert Lesson.objects.count() == 1


def test_a_time_after_the_workshop_is_proposed_without_a_question():
    teacher = TeacherFactory(user=UserFactory(time_zone="UTC"))
    workshop_at(0, teacher=teacher)
    request = lessons.open_request(teacher=teacher)
    sent = proposal(request, TEN + timedelta(hours=2))
    assert signed_in(teacher.user).post(f"/teach/lessons/requests/{request.pk}/", sent).status_code == 302


def test_a_teacher_who_plans_a_workshop_during_another_one_or_a_lesson_is_told():
    teacher = TeacherFactory(user=UserFactory(time_zone="UTC"))
    client = signed_in(teacher.user)
    lesson, _ = lessons.confirmed_lesson(teacher=teacher, when=lessons.Slot(TEN, TEN + timedelta(hours=1)))
    workshop_at(1, teacher=teacher, title="Cheese")
    draft = workshop_at(0, teacher=teacher, title="Bread", is_published=False)
    page = client.post(f"/teach/workshops/{draft.slug}/publish/", follow=True).content.decode()
    assert "is on sale now" in page
    assert "at the same time as “Cheese”" in page
    assert f"at the same time as “{lesson.title}”" in page
    later = workshop_at(5, teacher=teacher, title="Wine", is_published=False)
    assert "same time" not in client.post(f"/teach/workshops/{later.slug}/publish/", follow=True).content.decode()


def appointment(reference, hour, hours=1):
    start = TEN + timedelta(hours=hour)
    return Appointment(
        domain="sample", reference=reference, title=reference, starts_at=start, ends_at=start + timedelta(hours=hours)
    )


def test_two_items_that_overlap_often_are_named_once():
    planned = [appointment("a", day * 24) for day in range(5)] + [appointment("b", day * 24) for day in range(5)]
    [overlap] = overlaps_of(None, planned)
    assert overlap.planned.starts_at == TEN
    assert overlaps_of(None, [appointment("a", 0, 3), appointment("a", 1)]) == []
    assert overlaps_of(None, []) == []
