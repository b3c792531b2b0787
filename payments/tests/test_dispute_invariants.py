"""The invariants of disputes hold after disputes of every kind, and each detects a violation that evades the triggers."""

import pytest
from django.db import connection, transaction

from jobs.invariants import broken
from ledger.entries import AccountKind, credit, debit
from ledger.journals import record_journal
from money import Money
from payments.disputes.invariants import INVARIANTS
from payments.invariants import INVARIANTS as ALL_INVARIANTS
from payments.refunds.plan import OverAllLines
from payments.tests.disputing import Case
from payments.tests.factories import paid_order, refunded
from payments.tests.test_invariants import past_all_triggers

pytestmark = pytest.mark.django_db


def disputes_of_every_kind():
    Case(paid_order(10000)).report("warning_needs_response")
    Case(paid_order(6000, 4000), 5000).open()
    lost, won, partly = Case(paid_order(6000, 4000), 11000), Case(paid_order(10000)), Case(paid_order(10000))
    for case in (lost, won, partly):
        case.open()
    lost.lose()
    won.win()
    partly.win(2500)
    payment = paid_order(10000)
    refunded(payment, OverAllLines(Money(4000, "GBP")))
    Case(payment).open()


def test_all_invariants_hold_after_disputes_of_every_kind():
    disputes_of_every_kind()
    assert broken(ALL_INVARIANTS) == {}


ONE_OPEN = "(SELECT min(id) FROM payments_dispute WHERE status = 'needs_response')"
ONE_LOST = "(SELECT min(id) FROM payments_dispute WHERE status = 'lost')"
BOOKED, FUNDS = "payments.disputes_are_booked", "payments.funds_in_dispute_are_open_disputes"
LINES, PAYMENTS = "payments.lines_count_their_disputes", "payments.payments_count_their_disputes"


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("UPDATE payments_orderline SET disputed_minor = 0, disputed_fee_minor = 0, disputed_share_minor = 0", {LINES}),
        ("UPDATE payments_payment SET disputed_minor = disputed_minor - 1 WHERE disputed_minor > 0", {PAYMENTS}),
        (f"UPDATE payments_dispute SET status = 'lost' WHERE id = {ONE_OPEN}", {BOOKED, FUNDS}),
        (f"UPDATE payments_dispute SET status = 'under_review' WHERE id = {ONE_LOST}", {BOOKED, FUNDS}),
        (f"DELETE FROM payments_disputemovement WHERE dispute_id = {ONE_OPEN}", {BOOKED, FUNDS}),
        (f"UPDATE payments_disputemovement SET fee_minor = 1 WHERE dispute_id = {ONE_LOST}", {BOOKED}),
        (
            "UPDATE payments_disputeallocation SET share_minor = share_minor + 1, fee_minor = fee_minor - 1"  # noqa: ISC004
            f" WHERE fee_minor > 0 AND dispute_id = {ONE_LOST}",
            {BOOKED, LINES},
        ),
        (
            f"UPDATE payments_dispute SET claimed_minor = claimed_minor - 1 WHERE id = {ONE_LOST}",
            {BOOKED, PAYMENTS},
        ),
        (
            "UPDATE payments_orderline SET teacher_id = (SELECT max(id) FROM accounts_teacher)"  # noqa: ISC004
            " WHERE disputed_minor > 0 AND teacher_id <> (SELECT max(id) FROM accounts_teacher)",
            {BOOKED},
        ),
    ],
)
def test_each_invariant_notices_when_it_is_broken(statement, names):
    disputes_of_every_kind()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    past_all_triggers(statement)
    found = broken(INVARIANTS)
    assert set(found) == names
    assert all(found.values())
    transaction.set_rollback(True)


def test_a_journal_that_no_dispute_explains_is_noticed():
    disputes_of_every_kind()
    amount = Money(1, "GBP")
    entries = [debit(AccountKind.FUNDS_IN_DISPUTE, amount), credit(AccountKind.STRIPE_CLEARING, amount)]
    record_journal(source="by hand", kind="correction", entries=entries)
    assert set(broken(INVARIANTS)) == {FUNDS}
