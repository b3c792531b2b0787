"""Orders that were paid before the ledger existed are booked as if they had been all along."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from jobs.invariants import broken
from ledger.models import Account, Journal, Posting
from money import Money
from payments.earnings.balances import teacher_balances
from payments.invariants import INVARIANTS
from payments.models import Earning, WebhookEvent
from payments.rebuilding.earlier_sales import book_earlier_sales
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_refund
from payments.tests.factories import event_of, open_order, paid_order, refund_object, refunded, session_object
from payments.tests.races import matured_sale
from payments.tests.test_refund_conversions import derived_anew
from payments.tests.test_settlement import work_on_all
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db


@contextmanager
def without_triggers():
    """Only the tests' superuser can switch the ledger's triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def without_a_ledger():
    """As before there was one."""
    with without_triggers() as cursor:
        for model in (Posting, Journal, Account, Earning):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


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
    assert derived_anew() == ([], [], [])


def test_what_the_books_lack_of_an_order_is_booked_and_nothing_twice(settings):
    """A refund that has no journal, one of which some are booked, and shares of which only the ledger knows where."""
    settings.EARNINGS_HELD_FOR = timedelta()
    matured, _ = matured_sale()
    payment = paid_order(9000)
    lacking = refunded(payment, OverAllLines(Money(1000, "GBP")))
    under_way = refunded(payment, OverAllLines(Money(2000, "GBP")))
    complete = refunded(payment, OverAllLines(Money(3000, "GBP")))
    for refund in (lacking, complete):
        record_refund(read_refund(refund_object(refund)))
    before = {order: balances_of(order) for order in (matured, payment)}
    booked = Journal.objects.count()
    with without_triggers() as cursor:
        for key in (lacking.idempotency_key, under_way.idempotency_key):
            journals = Journal.objects.filter(source__startswith=f"refund:{key}:")
            Posting.objects.filter(journal__in=journals)._raw_delete("default")
            journals._raw_delete("default")
        cursor.execute("DELETE FROM payments_earning")
    assert "payments.refunds_are_booked" in broken(INVARIANTS)
    assert book_earlier_sales() == 2
    assert book_earlier_sales() == 0
    assert {order: balances_of(order) for order in (matured, payment)} == before
    assert Journal.objects.count() == booked
    assert broken(INVARIANTS) == {}
    assert derived_anew() == ([], [], [])


def balances_of(payment):
    return teacher_balances(payment.order.lines.get().teacher_id)


def test_a_payment_that_is_reported_days_late_is_dated_in_the_books_when_it_was_made():
    payment = open_order()
    made_at = timezone.now().replace(microsecond=0) - timedelta(days=3)
    store_event(
        event_of("checkout.session.completed", session_object(payment), created=int(made_at.timestamp())),
        source=WebhookEvent.Source.BACKFILL,
    )
    work_on_all()
    assert Journal.objects.get().effective_at == made_at
