"""The balance of teachers, and the history of students and teachers, over the API."""

import contextlib
from datetime import UTC

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from accounts.tests.factories import TeacherFactory, UserFactory
from api.cursors import read_cursor, write_cursor
from money import Money
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.factories import evidence_for, open_order, paid_order, refund_object, refunded, sample_offer
from payments.tests.test_api import is_as_documented, signed_in

pytestmark = pytest.mark.django_db
BALANCE, HISTORY = "/api/payments/balance", "/api/payments/history"
FIGURES = ("total_earned", "available_balance", "pending_balance", "held", "in_payout", "withdrawn")


def sell(teacher, *prices):
    """One paid order of the teacher for each price."""
    payments = []
    for price in prices:
        payment = open_order(sample_offer(price, teacher=teacher))
        settle_payment(evidence_for(payment))
        payment.refresh_from_db()
        payments.append(payment)
    return payments


def walk(client, **query):
    """All entries of all pages, and the number of pages."""
    address, entries, pages = HISTORY, [], 0
    while address:
        answer = client.get(address, query if pages == 0 else None)
        assert answer.status_code == 200, answer.content
        assert is_as_documented(answer, HISTORY)
        entries += answer.json()["results"]
        address, pages = answer.json()["next"], pages + 1
    return entries, pages


@pytest.mark.parametrize("path", [BALANCE, HISTORY])
@pytest.mark.parametrize("form", ["{}", "{}/"])
def test_both_need_a_sign_in_and_have_short_addresses(path, form):
    teacher = TeacherFactory()
    for address in (form.format(path), form.format(path.removeprefix("/api"))):
        assert Client().get(address).status_code == 401
        assert signed_in(teacher.user).get(address).status_code == 200


def test_a_teacher_sees_each_currency(settings):
    settings.DEFAULT_CURRENCY = "GBP"
    teacher = TeacherFactory()
    sell(teacher, Money(10000, "GBP"), Money(1200, "JPY"), Money(5000, "GBP"))
    answer = signed_in(teacher.user).get(BALANCE)
    assert is_as_documented(answer, BALANCE)
    body = answer.json()
    assert [body[figure] for figure in FIGURES] == ["135.00", "0.00", "135.00", "0.00", "0.00", "0.00"]
    assert [(each["currency"], each["total_earned"]) for each in body["balances"]] == [
        ("GBP", "135.00"),
        ("JPY", "1080"),
    ]
    assert signed_in(teacher.user).get(BALANCE, {"currency": "JPY"}).json()["pending_balance"] == "1080"


def test_a_teacher_without_sales_has_nothing(settings):
    settings.DEFAULT_CURRENCY = "GBP"
    body = signed_in(TeacherFactory().user).get(BALANCE).json()
    assert [body[figure] for figure in FIGURES] == ["0.00"] * 6
    assert body["balances"] == []


def test_a_student_has_no_balance_and_no_earnings():
    client = signed_in(UserFactory())
    for answer in (client.get(BALANCE), client.get(HISTORY, {"role": "teacher"})):
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_unknown_currency_is_named():
    answer = signed_in(TeacherFactory().user).get(BALANCE, {"currency": "XXX"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "currency"
    assert is_as_documented(answer, BALANCE)


def test_a_student_sees_payments_and_refunds_newest_first():
    payment = paid_order(2500, 1500)
    refund = refunded(payment)
    record_refund(read_refund(refund_object(refund)))
    paid_order(700)  # another student's
    entries, _ = walk(signed_in(payment.order.user))
    assert [(each["type"], each["amount"], each["status"]) for each in entries] == [
        ("refund", "40.00", "succeeded"),
        ("payment", "-40.00", "succeeded"),
    ]
    assert {each["order"] for each in entries} == {payment.order.number}


def test_pages_never_repeat_or_lose_an_entry():
    user = UserFactory()
    payments = [paid_order(1000 + number, user=user) for number in range(7)]
    for payment in payments[:4]:
        refunded(payment)
    whole, _ = walk(signed_in(user), limit=100)
    assert len(whole) == 11
    for limit in (1, 2, 3, 10, 11):
        entries, pages = walk(signed_in(user), limit=limit)
        assert entries == whole
        assert pages == -(-11 // limit)


def test_a_teacher_sees_what_changed_their_money():
    teacher = TeacherFactory()
    payments = sell(teacher, Money(10000, "GBP"), Money(1200, "JPY"))
    record_refund(read_refund(refund_object(refunded(payments[0]))))
    entries, _ = walk(signed_in(teacher.user), limit=1)
    assert [(each["type"], each["currency"], each["amount"]) for each in entries] == [
        ("refund", "GBP", "-90.00"),
        ("sale", "JPY", "1080"),
        ("sale", "GBP", "90.00"),
    ]
    assert walk(signed_in(teacher.user), role="student")[0] == []


def test_a_long_history_takes_as_many_queries_as_a_short_one():
    teacher = TeacherFactory()
    client = signed_in(teacher.user)
    counts = []
    for sales in (1, 10):
        sell(teacher, *[Money(1000 + number, "GBP") for number in range(sales)])
        with CaptureQueriesContext(connection) as queries:
            client.get(HISTORY)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"role": "admin"}, {"cursor": "W10"}])
def test_bad_questions_are_named(query):
    for user in (UserFactory(), TeacherFactory().user):
        answer = signed_in(user).get(HISTORY, query)
        assert answer.status_code == 400
        assert [error["parameter"] for error in answer.json()["errors"]] == list(query)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**63 - 1), st.text(max_size=3))
def test_a_cursor_is_read_as_it_was_written(at, number, text):
    assert read_cursor(write_cursor(at, number, text), int, str) == (at, [number, text])


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_cursor(text):
    with contextlib.suppress(ValidationError):
        assert (read_cursor(text, int, int) is None) == (text == "")
