"""Payouts that were made after the backup that was restored: Stripe has the transfer, this database has nothing.

A savepoint stands for the backup: what was done after it is rolled back, while the sandbox keeps all of it.
"""

import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from ledger.entries import AccountKind
from ledger.models import Journal
from notifications.models import Alert, Mail
from payments.invariants import INVARIANTS
from payments.models import BankPayout, FetchedEvent, Payout, PayoutReversal, PayoutTransfer
from payments.payouts import gateway
from payments.payouts.decisions import approve_payout
from payments.payouts.follow_up import follow_up_accounts
from payments.payouts.recording import TransferDisagrees, record_transfer
from payments.payouts.requests import request_payout
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.sweeps import take_in_missed_events
from payments.tests.payout_factories import (
    approved,
    balance,
    books_of,
    earn,
    fund,
    onboarded,
    perform,
    requested,
    transfers_at,
)
from payments.tests.test_payout_requests import at_once
from payments.tests.test_payout_returns import bank_returns, reverse
from payments.tests.test_payout_sending import due_at_once, events_of, receive, retry
from payments.tests.test_rebuilding import HOUR, MONTH, mature_all, rebuild
from payments.tests.test_reconciliation_payouts import compare, send
from payments.tests.test_reconciliation_simulation import settled
from payments.tests.test_sweeps import after

pytestmark = pytest.mark.django_db
USD = "USD"


@contextmanager
def restored():
    """Forget what the block did in the database, as a restored backup does."""
    backup = transaction.savepoint()
    yield
    transaction.savepoint_rollback(backup)


def pay(teacher, minor=None, currency=USD):
    payout = approved(teacher, minor, currency)
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert payout.status == "paid"
    return payout


def test_a_payout_made_after_the_backup_is_recreated_and_booked_once(sandbox, teacher):
    clearing = balance(AccountKind.STRIPE_CLEARING, USD)
    with restored():
        lost = pay(teacher, 6000)
    assert (Payout.objects.count(), books_of(teacher, USD)) == (0, (9000, 0))
    [event] = events_of(sandbox, "transfer.created")
    [stored] = receive(event)
    assert (stored.state, stored.outcome) == ("done", "payout paid")
    receive({**event, "id": "evt_again"})
    payout = Payout.objects.get()
    assert (payout.reference, payout.amount_minor, payout.currency) == (lost.reference, 6000, USD)
    assert (payout.teacher, payout.status, payout.origin) == (teacher, "paid", "stripe")
    [at_stripe] = transfers_at(sandbox, lost)
    assert (payout.transfer.stripe_transfer_id, payout.transfer.state) == (at_stripe["id"], "done")
    assert int(payout.paid_at.timestamp()) == at_stripe["created"]
    assert books_of(teacher, USD) == (3000, 0)
    assert balance(AccountKind.STRIPE_CLEARING, USD) - clearing == -6000
    assert Alert.objects.filter(key=f"payout-recreated:{lost.reference}").count() == 1
    assert not Mail.objects.filter(key=f"payout:{lost.reference}:paid").exists(), "the teacher got it before"
    assert broken(INVARIANTS) == {}


def test_the_search_of_missed_events_recreates_it(sandbox, teacher):
    with restored():
        lost = pay(teacher)
    take_in_missed_events()
    FetchedEvent.objects.update(run_after="2020-01-01T00:00:00Z")
    perform(FetchedEvent)
    assert Payout.objects.get().reference == lost.reference
    assert books_of(teacher, USD) == (0, 0)


def test_the_same_money_that_was_requested_again_is_declined(sandbox, teacher):
    with restored():
        pay(teacher)
    second = requested(teacher, currency=USD)
    receive(*events_of(sandbox, "transfer.created"))
    second.refresh_from_db()
    assert (second.status, second.note) == ("declined", "This money had already been paid to you.")
    assert books_of(teacher, USD) == (0, 0)
    assert Mail.objects.filter(key=f"payout:{second.reference}:declined").count() == 1
    assert Alert.objects.get(key__startswith="payout-recreated:").detail["declined because of it"] == str(
        second.reference
    )
    assert broken(INVARIANTS) == {}


def test_another_payout_that_the_balance_covers_stays_open(sandbox, teacher):
    with restored():
        pay(teacher, 5000)
    second = requested(teacher, 4000, USD)
    receive(*events_of(sandbox, "transfer.created"))
    second.refresh_from_db()
    assert (second.status, books_of(teacher, USD)) == ("requested", (0, 4000))
    assert broken(INVARIANTS) == {}


def test_what_the_balance_does_not_cover_is_a_debt(sandbox, teacher):
    with restored():
        earn(teacher, 2500, USD)
        pay(teacher)
    receive(*events_of(sandbox, "transfer.created"))
    assert books_of(teacher, USD) == (-2500, 0)
    assert broken(INVARIANTS) == {}


def test_the_worker_looks_for_it_before_it_pays_the_same_money_again(sandbox, teacher):
    """Approved after the restore and before any event was found."""
    with restored():
        lost = pay(teacher)
    second = approved(teacher, currency=USD)
    perform(PayoutTransfer)
    second.refresh_from_db()
    assert (second.status, transfers_at(sandbox, second)) == ("declined", [])
    assert Payout.objects.get(reference=lost.reference).status == "paid"
    assert books_of(teacher, USD) == (0, 0)
    assert broken(INVARIANTS) == {}


def test_a_transfer_that_contradicts_its_payout_stops_no_other_payout(sandbox, teacher):
    first = pay(teacher, 4000)
    send(sandbox, teacher, 100, **{"metadata[payout]": str(first.reference)})
    assert pay(teacher, 5000).status == "paid"
    assert books_of(teacher, USD) == (0, 0)


def test_its_reversals_are_recorded_with_it(sandbox, teacher):
    with restored():
        lost = pay(teacher)
        reverse(sandbox, lost, amount=2500)
    receive(*events_of(sandbox, "transfer.created"))
    payout = Payout.objects.get()
    assert (payout.returned_minor, books_of(teacher, USD)) == (2500, (2500, 0))
    assert broken(INVARIANTS) == {}


def test_the_bank_returned_it_and_that_was_reported_first(sandbox):
    teacher = TeacherFactory()
    onboarded(sandbox, teacher, account_number="000111111116")
    earn(teacher, 9000, USD)
    with restored():
        pay(teacher)
        _, failed = bank_returns(sandbox, teacher)
    receive(*failed)
    assert (BankPayout.objects.get().status, PayoutReversal.objects.count()) == ("failed", 0)
    receive(*events_of(sandbox, "transfer.created"))
    follow_up_accounts()
    due_at_once(PayoutReversal)
    perform(PayoutReversal)
    assert (Payout.objects.get().status, books_of(teacher, USD)) == ("returned", (9000, 0))
    assert Mail.objects.filter(template="payments/mail/payout_bank_refused").count() == 1
    assert broken(INVARIANTS) == {}


def test_an_account_that_is_no_teachers_changes_nothing(sandbox, teacher):
    other = sandbox.http.post(
        f"{sandbox.url}/v1/accounts",
        data={"type": "custom", "country": "US", "capabilities[transfers][requested]": "true"},
        timeout=30,
    ).json()
    with restored():
        pay(teacher)
    [event] = events_of(sandbox, "transfer.created")
    fetched = gateway.retrieve_transfer(event["data"]["object"]["id"])
    foreign = replace(fetched, destination_id=other["id"])
    with pytest.raises(TransferDisagrees, match="does not exist"):
        record_transfer(foreign)
    assert (Payout.objects.count(), books_of(teacher, USD)) == (0, (9000, 0))


@pytest.mark.parametrize("reference", ["", "5", "a-payout-of-another-product", "a20558e0-ecd0-11f1-9fd2-02fc00000001"])
def test_a_reference_that_is_not_of_our_shape_recreates_nothing(sandbox, teacher, reference):
    send(sandbox, teacher, 500, **({"metadata[payout]": reference} if reference else {}))
    receive(*events_of(sandbox, "transfer.created"))
    assert (Payout.objects.count(), books_of(teacher, USD)) == (0, (9000, 0))


def test_a_second_transfer_with_its_reference_is_never_recorded(sandbox, teacher):
    with restored():
        lost = pay(teacher)
    send(sandbox, teacher, 9000, **{"metadata[payout]": str(lost.reference)})
    stored = receive(*events_of(sandbox, "transfer.created"))
    assert [each.is_quarantined for each in stored] == [False, True]
    assert (Payout.objects.count(), books_of(teacher, USD)) == (1, (0, 0))


@pytest.mark.django_db(transaction=True)
def test_two_events_and_a_new_request_at_once(sandbox, teacher):
    reference = str(uuid.uuid4())
    made = send(sandbox, teacher, 9000, **{"metadata[payout]": reference})
    fetched = gateway.retrieve_transfer(made["id"])
    *recorded, second = at_once(
        lambda: record_transfer(fetched),
        lambda: record_transfer(fetched),
        lambda: request_payout(teacher=teacher, currency=USD),
    )
    assert {str(payout.reference) for payout in recorded} == {reference}
    assert Journal.objects.filter(source=f"payout:{reference}:paid").count() == 1
    if isinstance(second, Payout):
        second.refresh_from_db()
        assert second.status == "declined"
    assert books_of(teacher, USD) == (0, 0)
    assert broken(INVARIANTS) == {}


def test_reconciliation_finds_and_recreates_it(sandbox, teacher):
    with restored():
        lost = pay(teacher)
    assert compare(sandbox) == [(Kind.TRANSFER_NOT_HERE, -9000, USD)]
    assert not Payout.objects.exists()
    compare(sandbox, "--fix")
    assert Payout.objects.get().reference == lost.reference
    assert books_of(teacher, USD) == (0, 0)
    assert compare(sandbox) == []


def test_the_books_are_derived_with_the_same_hash(stripe_sandbox):
    payments = settled(stripe_sandbox, "pm_card_visa")
    teacher = payments[0].order.lines.first().teacher
    onboarded(stripe_sandbox, teacher)
    fund(stripe_sandbox, 100_000, "gbp")
    with after(MONTH, stripe_sandbox):
        mature_all()
        with restored():
            payout = approved(teacher)
            due_at_once()
            retry()
        receive(*events_of(stripe_sandbox, "transfer.created"))
        assert Payout.objects.get().reference == payout.reference
    with after(MONTH + HOUR, stripe_sandbox):
        output, code = rebuild("--drop")
    assert code == 0, output


def test_a_payout_approved_after_the_backup_is_not_sent_again(sandbox, teacher):
    """The backup has the request only: the worker finds the transfer of the same reference."""
    payout = requested(teacher, currency=USD)
    with restored():
        approve_payout(payout_id=payout.pk, by=UserFactory())
        perform(PayoutTransfer)
    approve_payout(payout_id=payout.pk, by=UserFactory())
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert (payout.status, len(transfers_at(sandbox, payout))) == ("paid", 1)
    assert timedelta(0) < payout.paid_at - payout.requested_at
