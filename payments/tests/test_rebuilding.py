"""Books from ashes: what is derived from orders and Stripe's statement is what was booked while it happened."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from jobs.runner import drain
from ledger.entries import AccountKind, credit, debit
from ledger.journals import record_journal
from ledger.models import Journal
from money import Money
from payments.earnings.maturing import mature_earnings
from payments.models import Dispute, Earning, PayoutTransfer, Refund
from payments.refunds.plan import LinePart, OfLines
from payments.tests.factories import refunded
from payments.tests.payout_factories import approved, fund, onboarded
from payments.tests.test_reconciliation_runs import reconcile, stripe_post
from payments.tests.test_reconciliation_simulation import settled, take_in_everything, work
from payments.tests.test_sweeps import after

pytestmark = pytest.mark.django_db
HOUR, MONTH = timedelta(hours=1), timedelta(days=25)


def rebuild(*options, name="ashes"):
    """What the command prints, and its exit code."""
    out = io.StringIO()
    try:
        call_command("ledger", "rebuild", "--into", name, *options, stdout=out, stderr=io.StringIO())
    except CommandError as problem:
        return f"{out.getvalue()}{problem}", problem.returncode
    return out.getvalue(), 0


def mature_all():
    Earning.objects.filter(matured_at=None).update(look_at="2000-01-01T00:00Z")
    return mature_earnings()


def test_books_of_everything_are_derived_with_the_same_hash(stripe_sandbox):
    payments = settled(
        stripe_sandbox, "pm_card_visa", "pm_card_refundFail", "pm_card_createDispute", "pm_card_visa", "pm_card_visa"
    )
    partly, failing, disputed, late, _ = payments
    first_line = partly.order.lines.first()
    refunded(partly, OfLines([LinePart(line_id=first_line.pk)]))
    refunded(failing)
    work(Refund)
    with after(HOUR, stripe_sandbox):
        take_in_everything()
        dispute = Dispute.objects.get(payment=disputed)
        evidence = {"evidence[uncategorized_text]": "winning_evidence"}
        stripe_post(stripe_sandbox, f"disputes/{dispute.stripe_dispute_id}", submit="true", **evidence)
    with after(MONTH, stripe_sandbox):
        assert mature_all() > 0
        # Made at Stripe, and of a share that is available already; then one that staff must allocate.
        stripe_post(stripe_sandbox, "refunds", payment_intent=late.stripe_payment_intent_id, amount=late.amount_minor)
        stripe_post(stripe_sandbox, "refunds", payment_intent=partly.stripe_payment_intent_id, amount=100)
        take_in_everything()
    with after(HOUR, stripe_sandbox):
        take_in_everything()
        output, code = rebuild()
    assert code == 0, output
    kinds = set(Journal.objects.values_list("kind", flat=True))
    assert kinds >= {"sale", "stripe_fee", "maturity", "refund", "refund_held", "refund_failed", "dispute_withdrawn"}
    assert kinds >= {"dispute_held", "dispute_reinstated", "dispute_released", "refund_allocated"}


def test_payouts_and_payouts_to_the_bank_are_derived(stripe_sandbox):
    payments = settled(stripe_sandbox, "pm_card_visa")
    teacher = payments[0].order.lines.first().teacher
    onboarded(stripe_sandbox, teacher)
    fund(stripe_sandbox, 100_000, "gbp")
    with after(MONTH, stripe_sandbox):
        mature_all()
        payout = approved(teacher)
        PayoutTransfer.objects.update(run_after="2000-01-01T00:00Z")
        drain(PayoutTransfer, seconds=10)
        payout.refresh_from_db()
        assert payout.status == "paid"
        stripe_post(stripe_sandbox, f"transfers/{payout.transfer.stripe_transfer_id}/reversals", amount=500)
    with after(MONTH + HOUR, stripe_sandbox):
        reconcile("--fix")
        output, code = rebuild("--drop")
    assert code == 0, output
    assert set(Journal.objects.values_list("kind", flat=True)) >= {"payout_requested", "payout_paid", "payout_returned"}


def test_a_journal_that_nothing_explains_is_named(stripe_sandbox):
    settled(stripe_sandbox, "pm_card_visa")
    amount = Money(700, "GBP")
    record_journal(
        source="by-hand:1",
        kind="correction",
        entries=[debit(AccountKind.BANK, amount), credit(AccountKind.UNEXPLAINED, amount)],
    )
    output, code = rebuild()
    assert code == 1
    assert "only in the ledger: by-hand:1" in output
    assert output.count("only in the ledger") == 1


@pytest.mark.parametrize("name", ["public", "pg_x", "A", "x;drop", "", "a" * 41])
def test_a_name_that_is_none_is_refused(name):
    output, code = rebuild(name=name)
    assert code == 2, output


def test_a_schema_that_exists_is_left_alone(stripe_sandbox):
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA ashes")
    output, code = rebuild()
    assert (code, "exists" in output) == (2, True)


def test_the_second_ledger_keeps_its_rules_and_touches_no_first_one(stripe_sandbox):
    settled(stripe_sandbox, "pm_card_visa")
    before = Journal.objects.count()
    rebuild()
    assert Journal.objects.count() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ashes.ledger_journal")
        assert cursor.fetchone()[0] == before
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'ashes.ledger_posting'::regclass")
        ours = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.ledger_posting'::regclass")
        assert ours == cursor.fetchone()[0] > 0
