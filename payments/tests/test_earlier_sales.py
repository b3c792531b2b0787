"""Orders that were paid before the ledger existed are booked as if they had been all along."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from jobs.invariants import broken
from ledger.models import Account, Journal, Posting
from money import Money
from payments.earnings.balances import teacher_balances
from payments.earnings.earlier_sales import book_earlier_sales
from payments.invariants import INVARIANTS
from payments.models import Earning, WebhookEvent
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_refund
from payments.tests.factories import event_of, open_order, paid_order, refund_object, refunded, session_object
from payments.tests.test_settlement import work_on_all
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db


def without_a_ledger():
    """As before there was one. Only the tests' superuser can switch the ledger's triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model in (Posting, Journal, Account, Earning):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_sales_and_refunds_of_every_status_are_booked_once():
    payments = [paid_order() for _ in range(6)]
    statuses = ["requested", "pending", "succeeded", "failed", "canceled"]
    for payment, status in zip(payments, statuses, strict=False):
        refund = refunded(payment, OverAllLines(Money(1234, "GBP")))
        if status != "requested":
            record_refund(read_refund(refund_object(refund, status=status)))
    late = refunded(payments[5])
    for status in ("succeeded", "failed"):
        record_refund(read_refund(refund_object(late, status=status)))
        late.refresh_from_db()
    teachers = {line.teacher_id for payment in payments for line in payment.order.lines.all()}
    before = {teacher: teacher_balances(teacher) for teacher in teachers}
    without_a_ledger()
    assert book_earlier_sales() == 6
    call_command("book_earlier_sales")
    assert book_earlier_sales() == 0
    assert {teacher: teacher_balances(teacher) for teacher in teachers} == before
    assert broken(INVARIANTS) == {}


def test_a_payment_that_is_reported_days_late_is_dated_in_the_books_when_it_was_made():
    payment = open_order()
    made_at = timezone.now().replace(microsecond=0) - timedelta(days=3)
    store_event(
        event_of("checkout.session.completed", session_object(payment), created=int(made_at.timestamp())),
        source=WebhookEvent.Source.BACKFILL,
    )
    work_on_all()
    assert Journal.objects.get().effective_at == made_at
