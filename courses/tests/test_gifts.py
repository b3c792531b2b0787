"""Courses as gifts, through the cart, payment and redeeming of payments."""

import pytest
from django.urls import reverse

from accounts.tests.factories import UserFactory
from courses.models import Enrolment
from courses.publishing import close_course, withdraw_course
from courses.tests.factories import published_course
from jobs.invariants import broken, installed_invariants
from jobs.runner import drain
from notifications.models import Mail
from payments.gifts.redeeming import CannotRedeem, redeem_gift
from payments.models import LineCancellation, OrderLine, Refund
from payments.tests.factories import client_of
from payments.tests.gift_factories import code, paid_gift

pytestmark = pytest.mark.django_db


@pytest.fixture
def course():
    return published_course()


@pytest.fixture
def ada():
    return UserFactory()


def gift_of(course, **terms):
    return paid_gift(reference=course.pk, domain="courses", **terms)


def test_the_receiver_is_enrolled_and_the_giver_is_not(course, ada):
    gift = gift_of(course)
    giver = gift.line.order.user
    assert not Enrolment.objects.active().exists()
    assert not Mail.objects.filter(user=course.teacher.user).exists()
    client = client_of(ada)
    answer = client.post(reverse("payments:gift_redeem"), {"token": code(gift)}, follow=True)
    assert course.title in answer.content.decode()
    assert [each.student for each in Enrolment.objects.active()] == [ada]
    assert Mail.objects.filter(user=course.teacher.user, template="courses/mail/enrolled_teacher").count() == 1
    assert client_of(giver).get(reverse("courses:learn", args=[course.slug])).status_code == 404
    assert broken(installed_invariants()) == {}


def test_a_student_of_the_course_can_give_it_but_not_receive_it(course, ada):
    redeem_gift(text=code(gift_of(course)), user=ada)
    assert "Give as a gift" in client_of(ada).get(course.get_absolute_url()).content.decode()
    second = gift_of(course, giver=ada)
    with pytest.raises(CannotRedeem, match="already have this course"):
        redeem_gift(text=code(second), user=ada)
    assert redeem_gift(text=code(second), user=UserFactory()).redeemed_at


def test_a_withdrawn_course_is_still_handed_over(course, ada):
    gift = gift_of(course)
    withdraw_course(course_id=course.pk)
    assert redeem_gift(text=code(gift), user=ada).receiver == ada


def test_closing_a_course_refunds_waiting_and_redeemed_gifts(course, ada):
    waiting, redeemed = gift_of(course), gift_of(course)
    redeem_gift(text=code(redeemed), user=ada)
    close_course(course_id=course.pk, reason="I stop teaching", requested_by_id=course.teacher.user_id)
    drain(LineCancellation, seconds=10)
    assert set(OrderLine.objects.values_list("state", flat=True)) == {OrderLine.State.REVOKED}
    assert Refund.objects.count() == 2
    assert not Enrolment.objects.active().exists()
    assert Mail.objects.filter(user=ada, template="courses/mail/gift_revoked").count() == 1
    with pytest.raises(CannotRedeem, match="cancelled"):
        redeem_gift(text=code(waiting), user=UserFactory())
    assert broken(installed_invariants()) == {}
