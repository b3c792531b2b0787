"""Order history and the teacher's desk: right content, constant queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import TeacherFactory, UserFactory
from money import Money
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, sample_offer

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def buy(user, *, teacher, price=None):
    payment = open_order(sample_offer(price or Money(2500, "GBP"), teacher=teacher), user=user)
    return settle_payment(evidence_for(payment))[0]


@pytest.mark.parametrize("path", ["/my/orders/", "/teach/"])
def test_lists_take_the_same_number_of_queries_for_1_and_10_rows(path):
    teacher, student = TeacherFactory(), UserFactory()
    client = signed_in(teacher.user if path == "/teach/" else student)
    counts = []
    for rows in (1, 9):
        for _ in range(rows):
            buy(student, teacher=teacher)
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_desk_shows_own_sales_with_share_and_sum_per_currency():
    teacher, other = TeacherFactory(), TeacherFactory()
    student = UserFactory()
    buy(student, teacher=teacher, price=Money(10_000, "GBP"))
    buy(student, teacher=teacher, price=Money(5000, "JPY"))
    theirs = buy(student, teacher=other)
    page = signed_in(teacher.user).get("/teach/").content.decode()
    assert "£90.00" in page
    assert "4,500" in page
    assert theirs.lines.get().title not in page


def test_students_and_guests_have_no_desk():
    assert signed_in(UserFactory()).get("/teach/").status_code == 302
    assert Client().get("/teach/").status_code == 302


def test_history_shows_own_orders_only():
    teacher, student = TeacherFactory(), UserFactory()
    mine, theirs = buy(student, teacher=teacher), buy(UserFactory(), teacher=teacher)
    page = signed_in(student).get("/my/orders/").content.decode()
    assert mine.number in page
    assert theirs.number not in page


def test_a_waiting_order_updates_itself_and_a_paid_one_does_not():
    payment = open_order()
    client = signed_in(payment.order.user)
    path = payment.order.get_absolute_url()
    assert "hx-get" in client.get(path).content.decode()
    settle_payment(evidence_for(payment))
    page = client.get(path).content.decode()
    assert "hx-get" not in page
    assert "Open sample" in page


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 50, "\x00"])
def test_hostile_page_numbers_show_a_page(page):
    assert signed_in(UserFactory()).get("/my/orders/", {"page": page}).status_code == 200


def test_the_poll_that_finds_the_order_paid_renews_the_cart_in_the_header(stripe_sandbox):
    payment = open_order()
    client = signed_in(payment.order.user)
    path = f"/my/orders/{payment.order.number}/status/"
    assert "cart-link" not in client.get(f"{path}?poll=1").content.decode()
    settle_payment(evidence_for(payment))
    polled = client.get(f"{path}?poll=2").content.decode()
    assert 'id="cart-link"' in polled
    assert 'hx-swap-oob="true"' in polled
    assert 'class="count"' not in polled
    assert "hx-swap-oob" not in client.get(payment.order.get_absolute_url()).content.decode()
