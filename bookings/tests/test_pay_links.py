"""The link in the mail about an accepted lesson: it leads straight to paying this lesson alone."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from bookings.models import Lesson
from bookings.pay_links import PayLinkRefused, send_pay_link
from bookings.proposals import withdraw_proposal
from bookings.slots import Slot
from bookings.tests import factories as make
from notifications.models import Mail
from payments.cart import add_to_cart
from payments.contracts import Item
from payments.direct import PaidAlone, price_alone, start_direct_checkout
from payments.models import Cart, CartLine, Order, Payment
from payments.retention import expired_guest_carts
from payments.settlement import settle_payment
from payments.tests.factories import client_of, evidence_for, open_order, staff_in
from payments.tests.races import at_once

pytestmark = pytest.mark.django_db

DIGEST = re.compile(r'name="agreed" value="([0-9a-f]{64})"')


@pytest.fixture
def lesson():
    return make.proposed_lesson()


def path_of(lesson):
    return reverse("bookings:lesson_pay", args=[lesson.pk])


def page_of(lesson, **query):
    return " ".join(client_of(lesson.student).get(path_of(lesson), query).content.decode().split())


def press(lesson):
    digest = DIGEST.search(page_of(lesson))[1]
    return client_of(lesson.student).post(path_of(lesson), {"agreed": digest})


def put_into_cart(lesson):
    item = Item(domain="private_teaching", reference=str(lesson.pk))
    return add_to_cart(item, buyer_id=lesson.student_id, cart=None, currency="GBP").cart


def test_the_mail_about_an_accepted_request_has_a_link_for_each_time():
    early, late = make.proposed_lessons(make.slot(days=3), make.slot(days=4))
    slots = Mail.objects.get(template="bookings/mail/request_accepted").context["slots"]
    assert [slot["pay_path"] for slot in slots] == [f"{path_of(each)}?price=40.00" for each in (early, late)]


def test_the_link_leads_to_signing_in_then_to_the_page_and_is_not_found_for_others(lesson):
    response = Client().get(path_of(lesson))
    assert response.status_code == 302
    assert response.url == f"{reverse('account_login')}?next={path_of(lesson)}"
    for person in (UserFactory(), lesson.teacher.user, staff_in("support")):
        for method in ("get", "post"):
            assert getattr(client_of(person), method)(path_of(lesson)).status_code == 404
    assert client_of(lesson.student).get("/my/lessons/999999/pay/").status_code == 404


def test_looking_at_the_page_writes_nothing(lesson):
    assert "Pay £40.00" in page_of(lesson)
    assert not Cart.objects.exists()


def test_only_this_lesson_is_paid_and_the_cart_stays(stripe_sandbox, all_invariants_hold, lesson):
    other = make.proposed_lesson(student=lesson.student)
    put_into_cart(other)
    put_into_cart(lesson)
    response = press(lesson)
    payment = Payment.objects.get()
    session = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")
    assert (response.url, session["amount_total"]) == (session["url"], 4000)
    assert session["cancel_url"].endswith(f"{path_of(lesson)}?from=payment")
    assert CartLine.objects.filter(cart__user=lesson.student).count() == 2
    settle_payment(evidence_for(payment))
    lesson.refresh_from_db()
    assert lesson.is_confirmed
    assert [line.reference for line in CartLine.objects.all()] == [str(other.pk)]
    assert "You have paid for this lesson." in page_of(lesson)


def test_a_second_press_or_device_opens_the_same_payment(stripe_sandbox, lesson):
    assert press(lesson).url == press(lesson).url
    assert Payment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_presses_at_the_same_moment_open_one_payment(stripe_sandbox, lesson):
    wanted = PaidAlone(
        item=Item(domain="private_teaching", reference=str(lesson.pk)), currency="GBP", path=path_of(lesson)
    )
    digest = price_alone(wanted, buyer_id=lesson.student_id).digest
    actions = [lambda: start_direct_checkout(user=lesson.student, wanted=wanted, agreed_digest=digest)] * 8
    assert len({payment.session_url for payment in at_once(*actions)}) == 1
    assert (Order.objects.count(), Payment.objects.count(), Cart.objects.count()) == (1, 1, 1)


def test_a_price_that_changed_is_said_and_never_charged(lesson):
    assert "it was £35.00, and is £40.00 now" in page_of(lesson, price="35.00")
    for same in ("40.00", "", "x", "NaN", "1e99", "0", "-5", "4.005"):
        assert "price has changed" not in page_of(lesson, price=same)
    digest = DIGEST.search(page_of(lesson))[1]
    Lesson.objects.update(amount_minor=5000)
    client = client_of(lesson.student)
    response = client.post(path_of(lesson), {"agreed": digest}, follow=True)
    assert response.redirect_chain[0][0] == path_of(lesson)
    assert "Please look" in response.content.decode()
    assert "Pay £50.00" in response.content.decode()
    assert not Order.objects.exists()


def test_a_lesson_that_cannot_be_paid_says_why(lesson):
    withdraw_proposal(lesson_id=lesson.pk, teacher=lesson.teacher)
    page = page_of(lesson)
    assert "This lesson is no longer offered." in page
    assert "pay-button" not in page
    passed = make.proposed_lesson()
    Lesson.objects.filter(pk=passed.pk).update(
        period=Slot(timezone.now() - timedelta(hours=2), timezone.now() - timedelta(hours=1)).as_range()
    )
    assert "The time of this lesson has passed." in page_of(passed)
    when = make.slot(days=5)
    taken = make.proposed_lesson(when=when)
    make.confirmed_lesson(teacher=taken.teacher, when=when)
    assert "has just been taken by another student" in page_of(taken)
    paid, _ = make.confirmed_lesson()
    assert "You have paid for this lesson." in page_of(paid)


def test_a_lesson_in_another_unpaid_order_leads_there(lesson):
    payment = open_order(cart=put_into_cart(lesson))
    page = page_of(lesson)
    assert payment.order.get_absolute_url() in page
    assert "pay-button" not in page


def test_staff_send_the_link_again(lesson):
    support = client_of(staff_in("support"))
    address = reverse("admin:bookings_lesson_pay_link", args=[lesson.pk])
    assert (
        "Send pay link again" in support.get(reverse("admin:bookings_lesson_change", args=[lesson.pk])).content.decode()
    )
    assert support.get(address).status_code == 405
    assert support.post(address).status_code == 302
    mail = Mail.objects.get(template="bookings/mail/lesson_pay")
    assert (mail.user, mail.context["pay_path"]) == (lesson.student, f"{path_of(lesson)}?price=40.00")
    assert support.post(reverse("admin:bookings_lesson_pay_link", args=[999_999])).status_code == 404
    assert client_of(staff_in()).post(address).status_code == 403
    withdraw_proposal(lesson_id=lesson.pk, teacher=lesson.teacher)
    with pytest.raises(PayLinkRefused, match="no longer offered"):
        send_pay_link(lesson_id=lesson.pk)
    assert Mail.objects.filter(template="bookings/mail/lesson_pay").count() == 1


def test_a_cart_of_one_item_is_deleted_once_it_is_old_unless_it_may_still_be_paid(stripe_sandbox, lesson):
    press(lesson)
    assert not expired_guest_carts(timedelta(0)).exists()
    settle_payment(evidence_for(Payment.objects.get()))
    assert expired_guest_carts(timedelta(0)).get().payer == lesson.student
