"""The invariants of refunds hold after refunds of every kind, and each detects a violation that evades the triggers."""

import pytest
from django.db import connection, transaction

from jobs.invariants import broken
from money import Money
from payments.earnings import invariants as earnings
from payments.invariants import INVARIANTS
from payments.models import Refund
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_refund
from payments.tests.factories import paid_order, refund_object, refunded

pytestmark = pytest.mark.django_db


def refunds_of_every_kind():
    """A refund of each status, one of them in part and one still to allocate."""
    for status in Refund.Status:
        refund = refunded(paid_order(), OverAllLines(Money(1234, "GBP")))
        if status != "requested":
            record_refund(read_refund(refund_object(refund, status=status)))
    refunded(paid_order())
    whole = refunded(paid_order())
    record_refund(read_refund(refund_object(whole, status="succeeded")))
    Refund.objects.create(payment=paid_order(), amount_minor=100, currency="GBP", reason="made_at_stripe")


def test_all_invariants_hold_after_refunds_of_every_kind():
    refunds_of_every_kind()
    assert broken(INVARIANTS) == {}


def past_all_triggers(statement):
    """Run a statement with triggers off, as a manual repair or a bug might."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


LIVE_REFUND = "(SELECT min(id) FROM payments_refund WHERE status = 'succeeded')"


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        (
            "UPDATE payments_orderline SET refunded_quantity = 1 WHERE refunded_quantity = 0",
            {"payments.lines_count_their_refunds"},
        ),
        (
            f"UPDATE payments_refund SET status = 'failed', ended_at = now() WHERE id = {LIVE_REFUND}",
            {
                "payments.lines_count_their_refunds",
                "payments.payments_count_their_refunds",
                "payments.refunds_record_their_changes",
            },
        ),
        (
            "DELETE FROM payments_refundchange WHERE kind = 'succeeded'",
            {"payments.refunds_record_their_changes"},
        ),
        (
            "UPDATE payments_orderline SET state = 'fulfilled', revoked_quantity = 0 WHERE state = 'revoked'",
            {"payments.returned_units_are_revoked"},
        ),
        (
            "UPDATE payments_payment SET refunded_minor = refunded_minor + 1 WHERE refunded_minor < amount_minor",
            {"payments.payments_count_their_refunds"},
        ),
        (
            "UPDATE payments_refund SET amount_minor = 4001 WHERE reason = 'made_at_stripe'",
            {"payments.refunds_never_exceed_their_payment", "payments.payments_count_their_refunds"},
        ),
        (
            f"DELETE FROM payments_refundallocation WHERE refund_id = {LIVE_REFUND}",
            {"payments.lines_count_their_refunds", "payments.refunds_are_allocated"},
        ),
        (
            f"UPDATE payments_refund SET allocated_minor = allocated_minor - 1 WHERE id = {LIVE_REFUND}",
            {"payments.refunds_are_allocated"},
        ),
        (
            "UPDATE payments_orderline SET tax_minor = 1 WHERE refunded_minor = amount_minor",
            {"payments.fully_refunded_lines_keep_nothing"},
        ),
        (
            "UPDATE payments_refund SET succeeded_at = NULL WHERE status = 'succeeded'",
            {"payments.refunds_match_their_status"},
        ),
        (
            "UPDATE payments_refund SET ended_at = NULL WHERE status = 'canceled'",
            {"payments.refunds_match_their_status"},
        ),
        (
            "UPDATE payments_refund SET stripe_refund_id = 're_x' WHERE id = (SELECT min(id) FROM payments_refund)",
            {"payments.refunds_match_their_status"},
        ),
        (
            f"""
            ALTER TABLE payments_refundallocation DROP CONSTRAINT refund_allocation_parts_are_the_amount;
            UPDATE payments_refundallocation SET fee_minor = fee_minor + 1 WHERE refund_id = {LIVE_REFUND}
            """,
            {"payments.allocations_are_fee_and_share", "payments.lines_count_their_refunds"},
        ),
    ],
)
def test_each_invariant_notices_when_it_is_broken(statement, names):
    refunds_of_every_kind()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    past_all_triggers(statement)
    found = broken(invariant for invariant in INVARIANTS if invariant not in earnings.INVARIANTS)
    assert set(found) == names
    assert all(found.values())
    transaction.set_rollback(True)


def test_names_are_unique_and_every_promise_is_a_sentence():
    assert len({invariant.name for invariant in INVARIANTS}) == len(INVARIANTS)
    assert all(invariant.promise.endswith(".") for invariant in INVARIANTS)
