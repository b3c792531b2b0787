"""A run takes the same memory for ten times as many transactions, and finds each planted difference among them."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ledger.entries import AccountKey, AccountKind
from ledger.opening import open_accounts
from payments.models import Difference, ReconciliationRun, StripeMovement
from payments.reconciliation.comparing import compare_journals, compare_movements, compare_records
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.totals import store_totals

pytestmark = pytest.mark.django_db
ACCOUNT = "acct_memory"
# As `record_journal` books each, in one statement for all.
BOOK = """
WITH journal AS (
    INSERT INTO ledger_journal (source, kind, subject, description, effective_at)
    SELECT 'stripe:' || stripe_id, 'stripe_movement', '', '', %s FROM payments_stripemovement
     WHERE account = %s AND stripe_id >= %s
    RETURNING id
)
INSERT INTO ledger_posting (journal_id, account_id, amount_minor)
SELECT journal.id, account.id, CASE account.kind WHEN 'bank' THEN 100 ELSE -100 END
  FROM journal JOIN ledger_account account ON account.currency = 'GBP' AND account.kind IN ('bank', 'stripe_clearing')
"""
NEVER = float("inf")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def booked_movements(number, *, first=0):
    """Payouts to the bank on the statement, each booked; quick to write, and compared like all others."""
    moment = LONG_AGO + timedelta(days=1)
    rows = [
        StripeMovement(
            stripe_id=f"txn_{first + n:07}",
            account=ACCOUNT,
            livemode=False,
            type="payout",
            category="payout",
            currency="GBP",
            amount_minor=-100,
            fee_minor=0,
            net_minor=-100,
            happened_at=moment,
            available_at=moment,
            match_key=f"payout:po_{first + n:07}",
            source=f"po_{first + n:07}",
        )
        for n in range(number)
    ]
    StripeMovement.objects.bulk_create(rows)
    open_accounts([AccountKey(AccountKind.BANK, None, "GBP")])
    with connection.cursor() as cursor:
        # Otherwise all journals are checked at the end, which takes longer than a statement may.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(BOOK, [moment, ACCOUNT, f"txn_{first:07}"])


def claimed_run():
    now = timezone.now()
    return ReconciliationRun.objects.create(
        since=LONG_AGO,
        until=now,
        settled_before=now,
        livemode=False,
        account=ACCOUNT,
        state=ReconciliationRun.State.RUNNING,
        run_after=now + timedelta(hours=1),
    )


def compare_all():
    """The run, and the most memory that Python held at once while it compared, in bytes."""
    run = claimed_run()
    run.refresh_from_db()
    tracemalloc.start()
    for step in (compare_movements, compare_records, compare_journals):
        assert step(run, stops_at=NEVER)
        ReconciliationRun.objects.filter(pk=run.pk).update(cursor="")
        run.cursor = ""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return run, peak


def test_memory_is_flat_while_transactions_grow_tenfold():
    booked_movements(1_000)
    compare_all()  # imports and caches
    _, small = compare_all()
    # In parts, each of which a statement's time limit allows on a busy machine.
    for first in range(1_000, 10_000, 1_000):
        booked_movements(1_000, first=first)
    run, large = compare_all()
    assert run.compared >= 10_000
    assert not Difference.objects.filter(run=run).exists()
    # Garbage is collected at any time; a run that kept everything would need ten times as much.
    assert large < 2 * small, (small, large)


def test_planted_differences_are_all_found_in_the_database_and_the_sum_is_stripes():
    booked_movements(900)
    for number in range(0, 900, 90):
        StripeMovement.objects.filter(stripe_id=f"txn_{number:07}").update(amount_minor=-93, net_minor=-93)
    StripeMovement.objects.filter(stripe_id__in=["txn_0000011", "txn_0000012"]).delete()
    unbooked = StripeMovement.objects.get(stripe_id="txn_0000500")
    unbooked.pk, unbooked.stripe_id, unbooked.match_key = None, "txn_new", "other:txn_new"
    unbooked.type = unbooked.category = "novelty"
    unbooked.save()
    run, _ = compare_all()
    kinds = list(Difference.objects.filter(run=run).values_list("kind", "amount_minor"))
    expected = [(Kind.AMOUNT_DIFFERS, 7)] * 10 + [(Kind.NOT_AT_STRIPE, 100)] * 2 + [(Kind.UNKNOWN_TYPE, -100)]
    assert sorted(kinds) == sorted(expected)
    [total] = store_totals(run, balance=None)
    assert (total.stripe_minor, total.ledger_minor) == (-100 * 899 + 70, -100 * 900)
    assert total.named_minor == 170
    assert total.remainder_minor == 0
