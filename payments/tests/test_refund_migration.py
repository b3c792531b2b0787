"""Refunds of one line each, the former schema, are migrated to refunds of payments and back."""

from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from jobs.invariants import broken
from payments.invariants import INVARIANTS
from payments.models import OrderLine, Payment, Refund
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, paid_order, refunded, sample_offer
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
    Refund.objects.filter(pk=refund.pk).update(status=status, stripe_refund_id=f"re_{refund.pk}")
    return payment, payment.order.lines.get(reference=gone)


def test_refunds_move_to_their_payments_and_back_with_everything_counted():
    payments = dict(map(undeliverable_order, ["pending", "succeeded", "failed"]))
    keys = dict(Refund.objects.values_list("payment_id", "idempotency_key"))
    with before_refunds_had_payments():
        older = rows("SELECT line_id, amount_minor, idempotency_key, status FROM payments_refund ORDER BY id")
        lines = [line.pk for line in payments.values()]
        assert [row[0] for row in older] == lines
        assert {row[1] for row in older} == {2500}
        assert [row[2] for row in older] == list(keys.values())
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
