"""The database counts what disputes take, and refuses what exceeds a payment or a line, whatever the code does."""

import uuid
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from money import Money
from payments.models import Dispute, DisputeAllocation, DisputeMovement
from payments.refunds.plan import AmountDisputed, LinePart, OfLines, OverAllLines
from payments.refunds.requests import plan_refund_of
from payments.tests.factories import paid_order, refunded

pytestmark = pytest.mark.django_db


def disputed(payment, claimed=0, **fields):
    """A dispute as our code records it, without its allocations."""
    return Dispute.objects.create(
        payment=payment,
        stripe_dispute_id=f"du_{uuid.uuid4().hex}",
        amount_minor=claimed or payment.amount_minor,
        currency=payment.currency,
        reason="fraudulent",
        status="needs_response",
        is_charge_refundable=False,
        opened_at=timezone.now(),
        claimed_minor=claimed,
        **fields,
    )


def allocate(dispute, line, amount, fee):
    return DisputeAllocation.objects.create(
        dispute=dispute, line=line, amount_minor=amount, fee_minor=fee, share_minor=amount - fee
    )


@contextmanager
def refused(match):
    """The database refuses the block, which is rolled back."""
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        yield


def settle_constraints():
    """Check now what PostgreSQL checks at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_claims_and_allocations_are_counted_and_released():
    payment = paid_order(2500)
    line = payment.order.lines.get()
    dispute = disputed(payment, 1000)
    allocation = allocate(dispute, line, 1000, 100)
    settle_constraints()
    payment.refresh_from_db()
    line.refresh_from_db()
    assert (payment.disputed_minor, payment.refundable) == (1000, Money(1500, "GBP"))
    assert (line.disputed_minor, line.disputed_fee_minor, line.disputed_share_minor) == (1000, 100, 900)
    assert line.refundable == Money(1500, "GBP")
    allocation.amount_minor = allocation.fee_minor = allocation.share_minor = 0
    allocation.save()
    dispute.claimed_minor = 0
    dispute.save()
    settle_constraints()
    payment.refresh_from_db()
    line.refresh_from_db()
    assert (payment.disputed_minor, line.disputed_minor, line.disputed_fee_minor) == (0, 0, 0)


def test_disputes_and_refunds_never_exceed_the_payment_together():
    payment = paid_order(2500)
    refunded(payment, OverAllLines(Money(1000, "GBP")))
    with refused("payment_refunded_and_disputed_within_amount"):
        disputed(payment, 1501)
    allocate(disputed(payment, 1500), payment.order.lines.get(), 1500, 150)


def test_disputes_and_refunds_never_exceed_a_line_together():
    payment = paid_order(2500, 1500)
    line = payment.order.lines.get(amount_minor=1500)
    refunded(payment, OfLines([LinePart(line_id=line.pk, amount=Money(1000, "GBP"))]))
    dispute = disputed(payment, 500)
    for amount, fee in [(501, 50), (500, 51), (500, 49)]:
        with refused("order_line_(refunded_and_disputed|taken_parts)"):
            allocate(dispute, line, amount, fee)
    allocate(dispute, line, 500, 50)


def test_all_that_is_claimed_belongs_to_lines():
    payment = paid_order(2500)
    with refused("belongs to lines"):
        allocate(disputed(payment, 1000), payment.order.lines.get(), 999, 100)
        settle_constraints()


def test_a_line_of_another_order_is_refused():
    payment, other = paid_order(2500), paid_order(2500)
    with refused("lines of the order"):
        allocate(disputed(payment, 1000), other.order.lines.get(), 1000, 100)


@pytest.mark.parametrize("table", ["payment", "orderline"])
def test_no_statement_of_ours_writes_a_counter(table):
    paid_order(2500)
    with refused("Triggers count"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payments_{table} SET disputed_minor = 0 + 1")


@pytest.mark.parametrize("statement", ["DELETE FROM payments_{}", "UPDATE payments_{} SET id = id"])
def test_what_moved_is_kept(statement):
    dispute = disputed(paid_order(2500))
    DisputeMovement.objects.create(
        dispute=dispute,
        stripe_balance_transaction_id="txn_1",
        amount_minor=-1,
        fee_minor=0,
        currency="GBP",
        claim_minor=1,
        happened_at=timezone.now(),
    )
    with refused("kept"), connection.cursor() as cursor:
        cursor.execute(statement.format("disputemovement"))


def test_a_dispute_is_kept_and_stays_with_its_payment():
    dispute = disputed(paid_order(2500))
    with refused("Disputes are kept"):
        dispute.delete()
    dispute.payment = paid_order(2500)
    with refused("never changes"):
        dispute.save()


def test_a_refund_of_a_disputed_amount_is_refused_by_name():
    payment = paid_order(2500)
    allocate(disputed(payment, 2000), payment.order.lines.get(), 2000, 200)
    with pytest.raises(AmountDisputed, match=r"disputes £20\.00 .* only £5\.00 of it can be refunded"):
        refunded(payment, OverAllLines(Money(501, "GBP")))
    with pytest.raises(AmountDisputed):
        plan_refund_of(payment.order, OverAllLines(Money(501, "GBP")))
    assert refunded(payment, OverAllLines(Money(500, "GBP"))).amount == Money(500, "GBP")


def test_fee_and_share_of_a_line_are_exact_over_disputes_and_refunds():
    """10.05 with a fee of 1.01, taken in three parts of 3.35: the running total gives 0.34, 0.33 and 0.34."""
    payment = paid_order(1005)
    line = payment.order.lines.get()
    refunded(payment, OverAllLines(Money(335, "GBP")))
    allocate(disputed(payment, 335), line, 335, 33)
    refunded(payment, OverAllLines(Money(335, "GBP")))
    line.refresh_from_db()
    assert (line.refunded_fee_minor + line.disputed_fee_minor, line.platform_fee_minor) == (101, 101)
    assert line.refundable == Money(0, "GBP")
