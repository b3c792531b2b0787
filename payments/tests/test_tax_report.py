"""The tax report adds up to what the ledger says is payable, and staff read it as a page and as a file."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import Teacher
from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from payments.earnings.statements import Period, as_pdf, write_statement
from payments.models import Order, Payment
from payments.payers import country_of_payer
from payments.refunds.plan import LinePart, OfLines
from payments.settlement import settle_payment
from payments.tax.report import owed_by_platform, report_as_csv, tax_report
from payments.tests.disputing import Case
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import client_of, evidence_for, open_order, paid_order, refunded, sample_offer, staff_in
from payments.tests.races import report_on
from payments.tests.sample_domain import SAMPLE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def platform_owes(settings):
    settings.TAX_RATE_BPS, settings.TAX_MODE, settings.TAX_OWED_BY = 2000, "added", "platform"
    return settings


def rows():
    return tax_report(since=START, until=END)


def figures():
    return [
        (row.country, row.bps, str(row.sold), str(row.returned), str(row.net), str(row.tax), row.is_owed_by_platform)
        for row in rows()
    ]


def some_refund(payment, minor, status="succeeded"):
    line = payment.order.lines.first()
    refund = refunded(payment, OfLines([LinePart(line_id=line.pk, amount=Money(minor, payment.currency))]))
    report_on(refund, status=status)
    return refund


def test_sales_refunds_and_disputes_add_up_to_what_is_payable(platform_owes):
    german = paid_order(10000)
    Payment.objects.filter(pk=german.pk).update(billed_country="DE")
    some_refund(german, 6000)
    returned = paid_order(5000)
    report_on(some_refund(returned, 3000), status="failed")
    some_refund(returned, 1200, status="pending")
    lost = Case(paid_order(2000), 1200)
    lost.open()
    lost.lose()
    won = Case(paid_order(1000))
    won.open()
    won.win()
    open_case = Case(paid_order(1000))
    open_case.open()
    paid_order(700, currency="JPY")
    reference = sample_offer(Money(999, "GBP"))
    SAMPLE.undeliverable.add(reference)
    settle_payment(evidence_for(open_order(reference)))
    platform_owes.TAX_RATE_BPS = 0
    paid_order(4000)
    assert figures() == [
        ("", 2000, "£108.00", "£12.00", "£80.00", "£16.00", True),
        ("DE", 2000, "£120.00", "£60.00", "£50.00", "£10.00", True),
        ("", 2000, "¥840", "¥0", "¥700", "¥140", True),
    ]
    for owed in owed_by_platform(rows()):
        assert owed == balance_of(AccountKind.TAX_PAYABLE, owed.currency)


def test_what_teachers_owe_is_told_apart(settings):
    settings.TAX_OWED_BY, settings.TAX_MODE = "teacher", "included"
    some_refund(paid_order(12000), 6000)
    assert figures() == [("", 2000, "£120.00", "£60.00", "£50.00", "£10.00", False)]
    assert owed_by_platform(rows()) == []


def test_a_teachers_statement_names_the_tax_that_they_owe(settings):
    settings.TAX_OWED_BY, settings.TAX_MODE = "teacher", "included"
    some_refund(paid_order(12000), 6000)
    teacher, now = Teacher.objects.get(pk=SAMPLE.teacher_id), datetime.now(UTC)
    statement = write_statement(teacher, "GBP", Period(year=now.year, month=now.month, zone=UTC))
    assert statement.taxes == [(2000, Money(1000, "GBP"))]
    assert "VAT 20 % in these sales, which you owe" in text_of_pdf(as_pdf(statement))
    assert write_statement(teacher, "EUR", Period(year=now.year, month=None, zone=UTC)).taxes == []
    settings.TAX_OWED_BY = "platform"
    paid_order(12000)
    other = Teacher.objects.get(pk=SAMPLE.teacher_id)
    assert write_statement(other, "GBP", Period(year=now.year, month=now.month, zone=UTC)).taxes == []


def test_a_month_begins_in_utc():
    payment = paid_order(10000)
    Order.objects.filter(pk=payment.order_id).update(paid_at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    (row,) = rows()
    assert (row.month.year, row.month.month) == (2026, 12)


def test_staff_read_the_report_and_download_it():
    paid_order(10000)
    client, year = client_of(staff_in("finance")), datetime.now(UTC).year
    page = client.get(reverse("admin:payments_document_tax")).content.decode()
    for text in (f"Tax {year}", "£120.00", "£100.00", "£20.00", "Platform", "The platform owes"):
        assert text in page, text
    answer = client.get(reverse("admin:payments_document_tax"), {"year": year, "as": "csv"})
    (titles, line) = csv.reader(io.StringIO(answer.content.decode()))
    assert line[1:] == ["", "20", "GBP", "Platform", "120.00", "20.00", "0.00", "0.00", "100.00", "20.00"]
    assert len(titles) == len(line)
    assert "Nothing with tax" in client.get(reverse("admin:payments_document_tax"), {"year": "2021"}).content.decode()
    assert f"Tax {year}" in client.get(reverse("admin:payments_document_tax"), {"year": "99999"}).content.decode()


def test_only_staff_who_see_documents_see_the_report():
    assert client_of(staff_in()).get(reverse("admin:payments_document_tax")).status_code == 403


def test_an_empty_report_is_only_its_titles():
    assert len(report_as_csv([]).splitlines()) == 1


@pytest.mark.parametrize(
    ("charge", "country"),
    [
        ({"billing_details": {"address": {"country": "DE"}}}, "DE"),
        (
            {
                "billing_details": {"address": {"country": None}},
                "payment_method_details": {"type": "card", "card": {"country": "FR"}},
            },
            "FR",
        ),
        ({"billing_details": {"address": {"country": "<b>"}}}, ""),
        ({"payment_method_details": {"type": "card", "card": None}}, ""),
        ({}, ""),
    ],
)
def test_the_country_of_a_payer(charge, country):
    assert country_of_payer(charge) == country
