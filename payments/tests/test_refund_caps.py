"""The database itself counts refunds, refuses those that exceed a line or a payment, and protects their records."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from money import Money
from payments.models import OrderLine, Payment, Refund, RefundAllocation
from payments.refunds.plan import LinePart, OfLines
from payments.tests.factories import paid_order, refunded

pytestmark = pytest.mark.django_db


def sql(statement, *values):
    """Run one statement without the ORM, and check deferred triggers at its end, as a commit would."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


INSERT_REFUND = """
    INSERT INTO payments_refund (payment_id, amount_minor, currency, reason, status, note, idempotency_key, state,
                                 priority, attempts, last_error, pending_reason, failure_reason, postponements)
    VALUES (%s, %s, %s, %s, %s, '', gen_random_uuid()::text, 'done', 0, 0, '', '', '', 0)
"""
INSERT_ALLOCATION = """
    INSERT INTO payments_refundallocation (refund_id, line_id, amount_minor, fee_minor, share_minor, tax_minor, quantity)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def made_at_stripe(payment, minor, status="succeeded", currency="GBP"):
    sql(INSERT_REFUND, payment.pk, minor, currency, "made_at_stripe", status)
    return Refund.objects.latest("pk")


def counted(line):
    line.refresh_from_db()
    return (
        line.refunded_minor,
        line.refunded_fee_minor,
        line.refunded_share_minor,
        line.refunded_tax_minor,
        line.refunded_quantity,
    )


def test_refunds_beyond_the_payment_are_refused():
    payment = paid_order()
    made_at_stripe(payment, 3000)
    with pytest.raises(IntegrityError, match="payment_refunded_and_disputed_within_amount"):
        made_at_stripe(payment, 1001)
    made_at_stripe(payment, 1001, status="failed")
    made_at_stripe(payment, 1000, status="pending")
    payment.refresh_from_db()
    assert payment.refunded_minor == 4000


def test_allocations_beyond_a_line_are_refused():
    payment = paid_order()
    line = payment.order.lines.get(amount_minor=1500)
    refund = made_at_stripe(payment, 4000)
    with pytest.raises(
        IntegrityError, match=r"order_line_(refunded_and_disputed_within_amount|taken_parts_within_parts)"
    ):
        sql(INSERT_ALLOCATION, refund.pk, line.pk, 1501, 150, 1351, 0, 0)
    with pytest.raises(IntegrityError, match="order_line_taken_parts_within_parts"):
        sql(INSERT_ALLOCATION, refund.pk, line.pk, 1000, 151, 849, 0, 0)
    with pytest.raises(IntegrityError, match="order_line_refunded_within_quantity"):
        sql(INSERT_ALLOCATION, refund.pk, line.pk, 1000, 100, 900, 0, 2)
    sql(INSERT_ALLOCATION, refund.pk, line.pk, 1000, 100, 900, 0, 1)
    assert counted(line) == (1000, 100, 900, 0, 1)


@pytest.mark.parametrize(
    ("figures", "constraint"),
    [
        ((1000, 101, 900, 0), "refund_allocation_parts_are_the_amount"),
        ((0, 0, 0, 0), "refund_allocation_of_something"),
        ((1000, 100, 900, 1001), "refund_allocation_tax_within_amount"),
        ((1000, 1100, -100, 0), "share_minor"),
    ],
)
def test_an_allocation_whose_parts_are_not_its_amount_is_refused(figures, constraint):
    payment = paid_order(2500)
    refund = made_at_stripe(payment, 2500)
    with pytest.raises(IntegrityError, match=constraint):
        sql(INSERT_ALLOCATION, refund.pk, payment.order.lines.get().pk, *figures, 0)


def test_more_allocated_than_refunded_is_refused():
    payment = paid_order(2500)
    refund = made_at_stripe(payment, 1000)
    with pytest.raises(IntegrityError, match="refund_allocated_within_amount"):
        sql(INSERT_ALLOCATION, refund.pk, payment.order.lines.get().pk, 1001, 100, 901, 0, 0)


def test_a_refund_requested_here_without_its_lines_is_refused_at_the_end_of_the_transaction():
    payment = paid_order()
    with pytest.raises(IntegrityError, match="belongs to lines"):
        sql(INSERT_REFUND, payment.pk, 1000, "GBP", "goodwill", "requested")


def test_a_line_of_another_order_and_another_currency_are_refused():
    payment, other = paid_order(), paid_order()
    refund = made_at_stripe(payment, 1000)
    with pytest.raises(IntegrityError, match="lines of the order"):
        sql(INSERT_ALLOCATION, refund.pk, other.order.lines.first().pk, 1000, 100, 900, 0, 0)
    with pytest.raises(IntegrityError, match="currency"):
        made_at_stripe(payment, 1000, currency="EUR")


def test_a_failed_refund_gives_all_counters_back_once():
    payment = paid_order()
    refund = refunded(payment)
    payment.refresh_from_db()
    lines = list(payment.order.lines.all())
    assert payment.refunded_minor == 4000
    assert [counted(line)[0] for line in lines] == [line.amount_minor for line in lines]
    for status in ("pending", "succeeded", "failed", "failed"):
        sql("UPDATE payments_refund SET status = %s WHERE id = %s", status, refund.pk)
    payment.refresh_from_db()
    assert payment.refunded_minor == 0
    assert [counted(line) for line in lines] == [(0, 0, 0, 0, 0)] * 2


def test_what_is_allocated_of_a_failed_refund_counts_nothing():
    payment = paid_order(2500)
    refund = made_at_stripe(payment, 2500, status="failed")
    line = payment.order.lines.get()
    sql(INSERT_ALLOCATION, refund.pk, line.pk, 2500, 250, 2250, 0, 0)
    assert counted(line) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_orderline SET refunded_minor = 0, refunded_fee_minor = 0, refunded_share_minor = 0",
        "UPDATE payments_orderline SET refunded_quantity = 0",
        "UPDATE payments_payment SET refunded_minor = 0",
        "UPDATE payments_refund SET allocated_minor = 0",
        "UPDATE payments_refund SET amount_minor = 1",
        "UPDATE payments_refund SET currency = 'EUR'",
        "UPDATE payments_refund SET reason = 'made_at_stripe'",
        "DELETE FROM payments_refund",
        "UPDATE payments_refundallocation SET quantity = 0",
        "UPDATE payments_refundallocation SET refund_id = refund_id + 1",
        "DELETE FROM payments_refundallocation",
    ],
)
def test_the_record_cannot_be_changed(statement):
    refunded(paid_order())
    with pytest.raises(IntegrityError):
        sql(statement)


@pytest.mark.parametrize("over", ["failed", "canceled"])
def test_a_refund_that_has_ended_stays_ended(over):
    refund = refunded(paid_order())
    sql("UPDATE payments_refund SET status = %s", over)
    for status in ("requested", "pending", "requires_action", "succeeded", "failed", "canceled"):
        if status == over:
            continue
        with pytest.raises(IntegrityError, match="stays so"):
            sql("UPDATE payments_refund SET status = %s WHERE id = %s", status, refund.pk)


def test_a_copy_of_a_payment_read_before_the_refund_cannot_undo_the_count():
    payment = paid_order()
    stale = Payment.objects.get(pk=payment.pk)
    stale_line = payment.order.lines.get(amount_minor=2500)
    refunded(payment, OfLines([LinePart(line_id=stale_line.pk)]))
    for copy in (stale, stale_line):
        with pytest.raises(IntegrityError, match="Triggers count"), transaction.atomic():
            copy.save()
    assert Payment.objects.get(pk=payment.pk).refunded_minor == 2500
    assert OrderLine.objects.get(pk=stale_line.pk).refunded_minor == 2500


def test_refunds_and_their_lines_are_listed_with_all_counters():
    refund = refunded(paid_order(2500, quantity=3), requested_by_id=None, note="x" * 400)
    (part,) = RefundAllocation.objects.filter(refund=refund)
    assert (part.amount.minor, part.fee.minor, part.share.minor, part.tax.minor, part.quantity) == (
        7500,
        750,
        6750,
        0,
        3,
    )
    assert refund.to_allocate == Money(0, "GBP")
    assert len(refund.note) == 300
    assert refund.created_at <= timezone.now()
