"""A teacher's earnings page and statements."""

import csv
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from money import Money
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.factories import evidence_for, open_order, refund_object, refunded, sample_offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def teacher():
    return TeacherFactory()


@pytest.fixture
def client_of_teacher(teacher):
    client = Client()
    client.force_login(teacher.user)
    return client


def sell(teacher, minor=10_000, currency="GBP"):
    payment = open_order(sample_offer(Money(minor, currency), teacher=teacher))
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


def text_of(response):
    return " ".join(response.content.decode().split())


def test_a_teacher_without_sales_reads_what_will_appear(client_of_teacher):
    response = client_of_teacher.get(reverse("payments:earnings"))
    assert response.status_code == 200
    assert "You have not earned anything yet" in text_of(response)


def test_the_balance_of_each_currency_and_what_is_pending_are_shown(client_of_teacher, teacher):
    sale = sell(teacher)
    sell(teacher, 5000, "JPY")
    page = text_of(client_of_teacher.get(reverse("payments:earnings")))
    assert "£90.00" in page
    assert "¥4,500" in page
    assert sale.order.number in page
    assert "Not known yet" in page
    yen = text_of(client_of_teacher.get(reverse("payments:earnings"), {"currency": "JPY"}))
    assert sale.order.number not in yen


@pytest.mark.parametrize("query", [{"currency": "XXX"}, {"currency": "';--"}, {"page": "-1"}, {"page": "x"}])
def test_nonsense_in_the_address_shows_the_page(client_of_teacher, teacher, query):
    sell(teacher)
    assert client_of_teacher.get(reverse("payments:earnings"), query).status_code == 200


def test_the_number_of_queries_does_not_grow(client_of_teacher, teacher, django_assert_max_num_queries):
    for _ in range(12):
        sell(teacher)
    with django_assert_max_num_queries(24):
        client_of_teacher.get(reverse("payments:earnings"))


def statement(client, *, period=None, currency="GBP", kind="csv"):
    period = period or f"{timezone.now():%Y-%m}"
    return client.get(f"/teach/earnings/statement-{period}-{currency}.{kind}")


def test_a_statement_lists_each_movement_with_the_balance_after_it(client_of_teacher, teacher):
    sale = sell(teacher)
    refund = refunded(sale)
    record_refund(read_refund(refund_object(refund)))
    response = statement(client_of_teacher)
    assert response["Content-Type"].startswith("text/csv")
    head, opening, *rows = csv.reader(StringIO(response.content.decode()))
    assert head == ["Date", "What", "Order", "Description", "Currency", "Amount", "Balance"]
    assert opening[-1] == "0.00"
    assert [(row[1], row[2], row[5], row[6]) for row in rows] == [
        ("Sale", sale.order.number, "90.00", "90.00"),
        ("Refund", sale.order.number, "-90.00", "0.00"),
    ]


def test_a_year_and_a_pdf_can_be_had_too(client_of_teacher, teacher):
    sell(teacher)
    year = f"{timezone.now():%Y}"
    assert statement(client_of_teacher, period=year).status_code == 200
    pdf = statement(client_of_teacher, kind="pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


def test_an_earlier_month_is_empty_and_a_later_one_opens_with_what_was_earned(client_of_teacher, teacher):
    sell(teacher)
    later = f"{timezone.now().year + 1}-01"
    rows = list(csv.reader(StringIO(statement(client_of_teacher, period=later).content.decode())))
    assert [row[6] for row in rows[1:]] == ["90.00"]
    earlier = list(csv.reader(StringIO(statement(client_of_teacher, period="2021-02").content.decode())))
    assert [row[6] for row in earlier[1:]] == ["0.00"]


@pytest.mark.parametrize(
    "name", ["2026-13-GBP.csv", "1999-GBP.csv", "2026-11-XQX.csv", "2026-11-GBP.xls", "2026-1-GBP.csv", "9999-GBP.pdf"]
)
def test_what_cannot_be_a_statement_is_not_found(client_of_teacher, name):
    assert client_of_teacher.get(f"/teach/earnings/statement-{name}").status_code == 404


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_title_that_a_spreadsheet_would_run_is_written_as_text(client_of_teacher, teacher, start):
    """opencart/opencart#15666. Some spreadsheets run what follows a full-width sign, or a line break, as well."""
    sale = sell(teacher)
    sale.order.lines.update(title=f'{start}HYPERLINK("http://evil")')
    *_, row = csv.reader(StringIO(statement(client_of_teacher).content.decode(), newline=""))
    assert row[3].startswith(f"'{start}")


def test_only_the_teacher_sees_their_earnings(teacher):
    sell(teacher)
    student, other = Client(), Client()
    student.force_login(UserFactory())
    other.force_login(TeacherFactory().user)
    assert student.get(reverse("payments:earnings")).status_code == 302
    assert "£90.00" not in text_of(other.get(reverse("payments:earnings")))
    assert ",90.00," not in statement(other).content.decode()
    assert Client().get(reverse("payments:earnings")).status_code == 302
