"""Receipts and credit notes have numbers without gaps, and show what happened."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from jobs.invariants import broken
from jobs.runner import drain
from money import Money
from notifications.models import Mail
from payments.documents import invariants
from payments.documents.collection import render_all_documents
from payments.documents.credit_note import render_credit_note
from payments.documents.numbering import number_credit_note, number_missing_documents, number_receipt, read_number
from payments.models import Document, Order, Refund
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_refund
from payments.tests.factories import open_order, paid_order, refund_object, refunded
from payments.tests.test_receipts import content_of, pages_of

pytestmark = pytest.mark.django_db


def drawn(pdf):
    return content_of(pdf).decode("windows-1252")


def succeeded(payment, minor):
    refund = refunded(payment, OverAllLines(Money(minor, "GBP")))
    record_refund(read_refund(refund_object(refund, status="succeeded")))
    refund.refresh_from_db()
    return refund


def age(*orders):
    """Make it seem that these were paid, and their refunds made, hours ago."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, column in (("payments_order", "paid_at"), ("payments_refund", "succeeded_at")):
            cursor.execute(f"UPDATE {table} SET {column} = {column} - interval '2 hours'")
        cursor.execute("SET session_replication_role = origin")


def test_each_kind_is_numbered_from_one_in_the_order_in_which_it_happened():
    payments = [paid_order(2500), paid_order(1000), paid_order(3000)]
    succeeded(payments[1], 400)
    assert number_missing_documents() == 4
    assert number_missing_documents() == 0
    receipts = [number_receipt(payment.order) for payment in payments]
    year = receipts[0].issued_at.year
    assert [receipt.number for receipt in receipts] == [f"R-{year}-0000{n}" for n in (1, 2, 3)]
    assert Document.objects.get(kind="credit_note").number == f"C-{year}-00001"


def test_what_was_not_paid_or_not_refunded_has_no_document():
    with pytest.raises(ValueError, match="only a paid order"):
        number_receipt(open_order().order)
    pending = refunded(paid_order(2500), OverAllLines(Money(500, "GBP")))
    second = Refund(payment=pending.payment, reason=Refund.Reason.SECOND_PAYMENT, succeeded_at=timezone.now())
    for refund in (pending, second):
        with pytest.raises(ValueError, match="only a refund"):
            number_credit_note(refund)
    number_missing_documents()
    assert not Document.objects.filter(kind="credit_note").exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_no_gap_and_number_nothing_twice():
    orders = [paid_order(1000).order for _ in range(6)]

    def number_and_close(order):
        try:
            return number_receipt(order).sequence
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        given = list(pool.map(number_and_close, orders * 3))
    assert sorted(set(given)) == [1, 2, 3, 4, 5, 6]
    assert Document.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_a_number_that_is_rolled_back_is_given_out_again():
    first, second = paid_order(1000).order, paid_order(1000).order
    with transaction.atomic():
        assert number_receipt(first).sequence == 1
        transaction.set_rollback(True)
    assert number_receipt(second).sequence == 1
    assert number_receipt(first).sequence == 2


@pytest.mark.parametrize("change", [{"sequence": 7}, {"year": 2020}, {"issued_at": "2020-01-01T00:00:00Z"}])
def test_the_database_keeps_numbers_as_they_are(change):
    document = number_receipt(paid_order(1000).order)
    with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(**change)
    with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic():
        document.delete()


def test_a_statement_cannot_choose_a_number():
    order = paid_order(1000).order
    chosen = Document.objects.create(kind="receipt", order=order, year=2026, sequence=900)
    chosen.refresh_from_db()
    assert chosen.sequence == 1


def test_the_mails_bring_the_documents_with_their_numbers(mailoutbox):
    payment = paid_order(2500)
    refund = succeeded(payment, 500)
    drain(Mail, seconds=20)
    attached = {name: content for mail in mailoutbox for name, content, _ in mail.attachments}
    receipt, note = number_receipt(payment.order), number_credit_note(refund)
    assert receipt.number in drawn(attached[payment.order.receipt_name])
    assert note.number in drawn(attached[f"credit-note-{payment.order.number}.pdf"])
    assert receipt.number in drawn(attached[f"credit-note-{payment.order.number}.pdf"])


def test_a_credit_note_shows_its_lines_and_their_tax(settings):
    settings.TAX_RATE_BPS = 2000
    payment = paid_order(6000, 3000, user=UserFactory(full_name="Ada King"))
    lines = list(payment.order.lines.order_by("pk"))
    refund = refunded(payment, OfLines([LinePart(line_id=lines[1].pk, amount=Money(1200, "GBP"))]))
    record_refund(read_refund(refund_object(refund, status="succeeded")))
    refund.refresh_from_db()
    text = drawn(render_credit_note(number_credit_note(refund)))
    for shown in ("Credit note C-", "Ada King", lines[1].title, "-£12.00", "of which VAT", "-£2.00"):
        assert shown in text, shown
    # On the line, in the total, and as the gross amount of its rate.
    assert text.count("-£12.00") == 3


def test_a_refund_that_the_bank_returned_leaves_a_void_credit_note():
    payment = paid_order(2500)
    refund = succeeded(payment, 500)
    note = number_credit_note(refund)
    record_refund(read_refund(refund_object(refund, status="failed")))
    note = Document.objects.get(pk=note.pk)
    assert "Void" in drawn(render_credit_note(note))
    assert "Paid after refunds" not in drawn(render_all_documents(payment.order)).split("Credit note")[0]


def test_one_file_has_all_documents_of_an_order():
    payment = paid_order(2500)
    for minor in (500, 700):
        succeeded(payment, minor)
    number_missing_documents()
    pages = pages_of(render_all_documents(payment.order))
    assert len(pages) == 3
    for page, kind in zip(pages, ("Receipt R-", "Credit note C-", "Credit note C-"), strict=True):
        assert kind in page.split("Billed to")[0]
    numbers = {note.number for note in Document.objects.filter(kind="credit_note")}
    assert all(number in pages[0] for number in numbers)  # the receipt names them beside what came back


def test_students_download_their_own_documents_and_looking_numbers_nothing():
    buyer = UserFactory()
    payment = paid_order(2500, user=buyer)
    client, stranger = Client(), Client()
    client.force_login(buyer)
    stranger.force_login(UserFactory())
    receipt = reverse("payments:receipt", args=[payment.order.number])
    assert client.get(receipt).content.startswith(b"%PDF")
    assert not Document.objects.exists()
    note = number_credit_note(succeeded(payment, 500))
    page = client.get(payment.order.get_absolute_url()).content.decode()
    addresses = [
        receipt,
        reverse("payments:credit_note", args=[payment.order.number, note.pk]),
        reverse("payments:documents", args=[payment.order.number]),
    ]
    for address in addresses:
        assert address in page
        assert client.get(address).content.startswith(b"%PDF")
        assert stranger.get(address).status_code == 404
    other = paid_order(1000, user=buyer)
    assert client.get(reverse("payments:credit_note", args=[other.order.number, note.pk])).status_code == 404
    of_receipt = Document.objects.get(kind="receipt")
    assert client.get(reverse("payments:credit_note", args=[payment.order.number, of_receipt.pk])).status_code == 404


def test_staff_find_a_document_by_its_number_and_open_it():
    payment = paid_order(2500)
    note = number_credit_note(succeeded(payment, 500))
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.org", "correct horse battery"))
    found = client.get(reverse("admin:search"), {"s": note.number.lower()}).content.decode()
    assert reverse("admin:payments_order_change", args=[payment.order_id]) in found
    listed = client.get(reverse("admin:payments_document_changelist"), {"q": note.number}).content.decode()
    assert note.number in listed
    assert number_receipt(payment.order).number not in listed
    for document in Document.objects.all():
        answer = client.get(reverse("admin:payments_document_file", args=[document.pk]))
        assert answer.content.startswith(b"%PDF")
    client.force_login(UserFactory(is_staff=True))
    assert client.get(reverse("admin:payments_document_file", args=[note.pk])).status_code == 403


@pytest.mark.parametrize("text", ["", "R-2026", "X-2026-00001", "R-2026-00001 x", "R-٢٠٢٦-00001", "R-2026-9999999999"])
def test_other_texts_are_no_number(text):
    assert read_number(text) is None


def test_the_invariants_notice_gaps_and_missing_documents():
    payment = paid_order(2500)
    succeeded(payment, 500)
    age()
    names = set(broken(invariants.INVARIANTS))
    assert names == {"payments.paid_orders_have_receipts", "payments.refunds_have_credit_notes"}
    number_missing_documents()
    assert broken(invariants.INVARIANTS) == {}
    number_receipt(paid_order(1000).order)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM payments_document WHERE kind = 'receipt' AND sequence = 1")
        cursor.execute("SET session_replication_role = origin")
    assert "payments.documents_are_numbered_without_gaps" in broken(invariants.INVARIANTS)
    assert Order.objects.count() == 2
