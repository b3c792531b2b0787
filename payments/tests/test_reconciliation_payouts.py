"""Transfers to teachers: what Stripe's statement has is what the payouts and the ledger have, or it is found."""

from datetime import timedelta

import pytest

from accounts.tests.factories import TeacherFactory
from payments.models import Difference, Payout, PayoutTransfer, ReconciliationRun
from payments.payouts.accounts import current_account
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.tests.payout_factories import approved, books_of, earn, fund, onboarded, perform
from payments.tests.test_reconciliation_runs import reconcile, stripe_post
from payments.tests.test_sweeps import after

pytestmark = pytest.mark.django_db
USD = "USD"


@pytest.fixture
def teacher(stripe_sandbox):
    """A teacher with 90.00 USD available, and an account that can be paid. The charge behind it is no order's."""
    teacher = TeacherFactory()
    onboarded(stripe_sandbox, teacher)
    fund(stripe_sandbox, 100_000)
    earn(teacher, 9000, USD)
    return teacher


def of_transfers():
    """What the latest run found of transfers and payouts."""
    run = ReconciliationRun.objects.latest("pk")
    rows = Difference.objects.filter(run=run, match_key__startswith="transfer:").order_by("kind")
    return list(rows.values_list("kind", "amount_minor", "currency"))


def compare(sandbox, *options):
    """Run it an hour later: the sandbox's clock is a little ahead."""
    with after(timedelta(hours=1), sandbox):
        reconcile(*options)
    return of_transfers()


def send(sandbox, teacher, minor, **data):
    destination = current_account(teacher.pk).stripe_account_id
    return stripe_post(sandbox, "transfers", amount=minor, currency="usd", destination=destination, **data)


def paid(teacher):
    payout = approved(teacher, currency=USD)
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert payout.status == "paid"
    return payout


def test_a_paid_payout_has_no_difference(stripe_sandbox, teacher):
    paid(teacher)
    assert compare(stripe_sandbox) == []


def test_a_transfer_by_hand_is_found_and_left_to_staff(stripe_sandbox, teacher):
    send(stripe_sandbox, teacher, 500)
    assert compare(stripe_sandbox, "--fix") == [(Kind.TRANSFER_BY_HAND, -500, USD)]
    assert not Payout.objects.exists()


def test_a_reversal_by_hand_is_found_and_given_back_to_the_teacher(stripe_sandbox, teacher):
    payout = paid(teacher)
    stripe_post(stripe_sandbox, f"transfers/{payout.transfer.stripe_transfer_id}/reversals", amount=4000)
    assert compare(stripe_sandbox) == [(Kind.REVERSAL_BY_HAND, 4000, USD)]
    assert books_of(teacher, USD) == (0, 0)
    compare(stripe_sandbox, "--fix")
    assert books_of(teacher, USD) == (4000, 0)
    assert compare(stripe_sandbox) == []


def test_a_transfer_that_no_answer_and_no_event_reported_is_found_and_recorded(stripe_sandbox, teacher):
    payout = approved(teacher, currency=USD)
    send(stripe_sandbox, teacher, 9000, **{"metadata[payout]": str(payout.reference)})
    assert compare(stripe_sandbox) == [(Kind.MISSING_EVENT, -9000, USD)]
    compare(stripe_sandbox, "--fix")
    payout.refresh_from_db()
    assert payout.status == "paid"
    assert compare(stripe_sandbox) == []


def test_a_second_transfer_of_a_payout_is_a_double(stripe_sandbox, teacher):
    payout = paid(teacher)
    send(stripe_sandbox, teacher, 9000, **{"metadata[payout]": str(payout.reference)})
    assert compare(stripe_sandbox, "--fix") == [(Kind.DOUBLE, -9000, USD)]
    assert books_of(teacher, USD) == (0, 0)
