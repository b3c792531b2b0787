"""Refunds of one line each, the former schema, are migrated to refunds of payments and back."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from jobs.invariants import broken
from ledger.models import Journal
from payments.invariants import INVARIANTS
from payments.models import Earning, OrderLine, Payment, Refund
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.factories import evidence_for, open_order, paid_order, refund_object, refunded, sample_offer
from payments.tests.races import matured_sale
from payments.tests.sample_domain import SAMPLE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
BEFORE = "0007_check_order_totals"


def migrate(*arguments):
    call_command("migrate", *arguments, verbosity=0, skip_checks=True)


@contextmanager
def before_refunds_had_payments():
    """The former tables of payments; afterwards the current ones again, even if the test fails."""
    migrate("payments", BEFORE)
    try:
        yield
    finally:
        migrate()


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def undeliverable_order(status):
    gone = sample_offer()
    payment = open_order(sample_offer(), gone)
    SAMPLE.undeliverable.add(gone)
    settle_payment(evidence_for(payment))
    refund = Refund.objects.get(payment=payment)
    record_refund(read_refund(refund_object(refund, id=f"re_{refund.pk}", status=status)))
    return payment, payment.order.lines.get(reference=gone)


def earnings():
    return list(
        Earning.objects.order_by("pk").values_list("pk", "teacher_id", "share_minor", "matured_minor", "look_at")
    )


def test_refunds_move_to_their_payments_and_back_with_everything_counted(settings):
    settings.EARNINGS_HELD_FOR = timedelta()
    matured_sale()
    payments = dict(map(undeliverable_order, ["pending", "succeeded", "failed"]))
    keys = dict(Refund.objects.values_list("payment_id", "idempotency_key"))
    earned, booked = earnings(), Journal.objects.count()
    with before_refunds_had_payments():
        older = rows("SELECT line_id, amount_minor, idempotency_key, status FROM payments_refund ORDER BY id")
        lines = [line.pk for line in payments.values()]
        assert [row[0] for row in older] == lines
        assert {row[1] for row in older} == {2500}
        assert [row[2] for row in older] == list(keys.values())
    # Going back forgets where shares are; the ledger has it.
    call_command("book_earlier_sales")
    assert [row[:4] for row in earnings()] == [row[:4] for row in earned]
    assert [row[4] is None for row in earnings()] == [row[4] is None for row in earned] == [True, False, False, False]
    assert Journal.objects.count() == booked
    for (payment, line), status in zip(payments.items(), ["pending", "succeeded", "failed"], strict=True):
        refund = Refund.objects.get(payment=payment)
        part = refund.allocations.get()
        assert (refund.status, refund.idempotency_key) == (status, keys[payment.pk])
        assert (part.line_id, part.amount_minor, part.fee_minor, part.share_minor, part.quantity) == (
            line.pk,
            2500,
            250,
            2250,
            1,
        )
        counted = 0 if status == "failed" else 2500
        assert Payment.objects.get(pk=payment.pk).refunded_minor == counted
        assert OrderLine.objects.get(pk=line.pk).refunded_minor == counted
    assert broken(INVARIANTS) == {}


def test_refunds_that_the_older_version_cannot_hold_stop_the_reverse_migration():
    refunded(paid_order(2500, 1500))
    try:
        with pytest.raises(RuntimeError, match="several order lines"):
            migrate("payments", BEFORE)
    finally:
        migrate()
    assert Refund.objects.get().allocations.count() == 2
    assert ("payments", "0010_cap_refunds") in MigrationRecorder(connection).applied_migrations()
