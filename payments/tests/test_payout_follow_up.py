"""The follow-up of teachers' accounts: in turns, one account's trouble stops no other; and the locks of what it finds."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken
from ledger.journals import record_journal
from notifications.models import Alert
from payments.invariants import INVARIANTS
from payments.models import BankPayout, ConnectedAccount, PayoutTransfer
from payments.payouts import follow_up, gateway
from payments.payouts.bank_payouts import record_bank_payout
from payments.payouts.entries import entries_of_giving_back, entries_of_request
from payments.payouts.follow_up import accounts_to_follow_up, follow_up_accounts
from payments.payouts.invariants import OpenPayoutsAreClaimed
from payments.payouts.recording import record_transfer
from payments.payouts.requests import current_account
from payments.payouts.stripe_objects import StripeBankPayout
from payments.stripe_api import StripeUnreachable
from payments.tests.payout_factories import (
    approved,
    earn,
    fund,
    onboarded,
    perform,
    ready_account,
    requested,
    teacher_with,
)
from payments.tests.test_payout_returns import reverse

pytestmark = pytest.mark.django_db
USD = "USD"


def unfinished(**changes):
    return ready_account(TeacherFactory(), can_pay_out=False, **changes)


def ago(**span):
    return timezone.now() - timedelta(**span)


def test_the_least_recently_looked_at_come_first_and_those_of_a_moment_ago_not_at_all():
    late = unfinished(followed_up_at=ago(hours=7))
    later = unfinished(followed_up_at=ago(hours=9))
    unfinished(followed_up_at=ago(hours=5))
    never = unfinished()
    assert list(accounts_to_follow_up()) == [never, later, late]


def test_accounts_v2_send_no_events_so_they_are_asked_about_hourly_until_ready_and_then_too():
    v2 = ConnectedAccount.Api.V2
    incomplete = unfinished(api=v2, followed_up_at=ago(minutes=59))
    unfinished(api=v2, followed_up_at=ago(minutes=50))
    ready = ready_account(TeacherFactory(), api=v2, followed_up_at=ago(hours=6))
    ready_account(TeacherFactory(), api=v2, followed_up_at=ago(hours=5))
    ready_account(TeacherFactory(), api=v2, followed_up_at=ago(hours=9), replaced_at=timezone.now())
    ready_account(TeacherFactory(), followed_up_at=ago(hours=9))
    assert list(accounts_to_follow_up()) == [ready, incomplete]


def test_an_account_that_stripe_does_not_answer_about_keeps_no_other_waiting(stripe_sandbox):
    silent, other = TeacherFactory(), TeacherFactory()
    for teacher in (silent, other):
        onboarded(stripe_sandbox, teacher, outcome="require_more")
    path = f"/v1/accounts/{current_account(silent.pk).stripe_account_id}"
    stripe_sandbox.fault("server_error", path=path, method="GET", count=3)
    ConnectedAccount.objects.update(requirements_due=["stale"])
    with pytest.raises(StripeUnreachable):
        follow_up_accounts()
    assert current_account(other.pk).requirements_due == ["stale"]
    assert follow_up_accounts() == 1
    assert current_account(other.pk).requirements_due != ["stale"]


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_recorded_of_one_account_is_an_alert_and_stops_no_other(stripe_sandbox):
    broken_one, other = TeacherFactory(), TeacherFactory()
    for teacher in (broken_one, other):
        onboarded(stripe_sandbox, teacher, outcome="require_more")
    account = current_account(broken_one.pk)
    ConnectedAccount.objects.filter(pk=account.pk).update(disabled_reason="old")
    ConnectedAccount.objects.filter(teacher=other).update(requirements_due=["stale"])
    key = f"account-not-followed-up:{account.stripe_account_id}"
    with refused_changes_of(account):
        assert follow_up_accounts() == 2
    assert current_account(other.pk).requirements_due != ["stale"]
    assert Alert.objects.filter(key=key, cleared_at=None).exists()
    ConnectedAccount.objects.update(followed_up_at=None)
    follow_up_accounts()
    assert not Alert.objects.filter(key=key, cleared_at=None).exists()


@contextmanager
def refused_changes_of(account):
    """The database refuses what Stripe says of the account."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE payments_connectedaccount ADD CONSTRAINT refuses "
            f"CHECK (id <> {account.pk} OR disabled_reason = 'old')"
        )
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE payments_connectedaccount DROP CONSTRAINT refuses")


def test_a_run_stops_in_time_and_the_next_one_goes_on(stripe_sandbox):
    for _ in range(2):
        onboarded(stripe_sandbox, TeacherFactory(), outcome="require_more")
    assert follow_up_accounts(seconds=0) == 0
    assert follow_up_accounts() == 2
    assert follow_up_accounts() == 0


# --- Locks ------------------------------------------------------------------------------------------------------------


def waiting(number):
    """Until this many connections of this database wait for a lock."""
    query = """SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
                WHERE NOT granted AND datname = current_database()"""
    ends_at = time.monotonic() + 20
    while time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            # A transaction sees one state of this view otherwise.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(query)
            if cursor.fetchone()[0] >= number:
                return
        time.sleep(0.02)
    raise AssertionError("they do not wait")


def in_thread(pool, action):
    def act():
        try:
            return action()
        finally:
            connections.close_all()

    return pool.submit(act)


@pytest.mark.django_db(transaction=True)
def test_a_failed_bank_payout_and_a_reversal_of_its_transfer_never_deadlock(stripe_sandbox):
    """Both lock the payout and its transfer. A third holds the transfer until both are under way."""
    fund(stripe_sandbox, 100_000)
    teacher = TeacherFactory()
    onboarded(stripe_sandbox, teacher)
    earn(teacher, 9000, USD)
    payout = approved(teacher, currency=USD)
    perform(PayoutTransfer)
    reverse(stripe_sandbox, payout, amount=2500)
    transfer = PayoutTransfer.objects.select_related("account").get()
    reported = gateway.retrieve_transfer(transfer.stripe_transfer_id)
    failed = StripeBankPayout(
        id="po_1",
        amount=payout.amount,
        status="failed",
        is_automatic=True,
        arrives_on=None,
        failure_message="account closed",
        payment_ids=frozenset([transfer.destination_payment_id]),
    )
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            PayoutTransfer.objects.select_for_update().get()
            bank = in_thread(pool, lambda: record_bank_payout(transfer.account, failed, as_of=timezone.now()))
            waiting(1)
            reversal = in_thread(pool, lambda: record_transfer(reported))
            waiting(2)
        assert bank.result(timeout=30).status == "failed"
        assert reversal.result(timeout=30).status == "paid"
    payout.refresh_from_db()
    assert (payout.returned_minor, BankPayout.objects.get().reversals.count()) == (2500, 1)
    assert broken(INVARIANTS) == {}


@pytest.mark.django_db(transaction=True)
def test_a_payout_that_is_requested_meanwhile_is_no_false_alarm():
    """Between two statements of an invariant another connection commits."""
    teacher = teacher_with(9000)
    done = []

    def commit_after_the_first(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not done:
            done.append(True)
            with ThreadPoolExecutor(1) as pool:
                in_thread(pool, lambda: requested(teacher)).result(timeout=30)
        return result

    with connection.execute_wrapper(commit_after_the_first):
        assert OpenPayoutsAreClaimed().breaking() == []
    assert done
    assert OpenPayoutsAreClaimed().breaking() == []


@pytest.mark.django_db(transaction=True)
def test_all_statements_of_an_invariant_see_one_moment():
    teacher = teacher_with(9000)

    class Twice:
        name, promise = "test.twice", "Two statements see the same payouts."

        def breaking(self):
            before = set(teacher.payouts.values_list("pk", flat=True))
            with ThreadPoolExecutor(1) as pool:
                in_thread(pool, lambda: requested(teacher)).result(timeout=30)
            return sorted(set(teacher.payouts.values_list("pk", flat=True)) - before)

    assert broken([Twice()]) == {}


def test_the_invariant_finds_a_claim_without_a_payout_and_the_reverse():
    teacher = teacher_with(9000)
    payout = requested(teacher)
    record_journal(source="test:1", kind="test", entries=entries_of_giving_back(payout.amount, teacher_id=teacher.pk))
    assert OpenPayoutsAreClaimed().breaking() == [teacher.pk]
    other = teacher_with(5000)
    record_journal(source="test:2", kind="test", entries=entries_of_request(payout.amount, teacher_id=other.pk))
    assert OpenPayoutsAreClaimed().breaking() == [teacher.pk, other.pk]


def test_the_period_of_the_task_is_the_shortest_interval():
    assert timedelta(hours=1) == follow_up._LOOK_AT_UNFINISHED_V2_EVERY
