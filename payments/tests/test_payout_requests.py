"""Requests and decisions: what is claimed, what is refused, and who wins when two come at once."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from ledger.entries import AccountKind
from ledger.locks import lock_teacher_accounts
from ledger.models import Journal
from money import Money
from notifications.models import Mail
from payments.invariants import INVARIANTS
from payments.models import ConnectedAccount, Payout, PayoutStep, PayoutTransfer
from payments.payouts.decisions import (
    BankTransfer,
    DecisionRefused,
    approve_payout,
    decline_payout,
    pay_by_bank,
    record_bank_return,
    record_bank_transfer,
)
from payments.payouts.requests import (
    AccountNotReady,
    BelowMinimum,
    MoreThanAvailable,
    NotPayable,
    PayoutAlreadyOpen,
    PayoutRefused,
    minimum_payout,
    request_payout,
)
from payments.tests.payout_factories import (
    approved,
    balance,
    books_of,
    earn,
    ready_account,
    requested,
    teacher_with,
)

pytestmark = pytest.mark.django_db


def pounds(minor):
    return Money(minor, "GBP")


def sources(payout):
    journals = Journal.objects.filter(subject=payout.subject).order_by("pk")
    return [journal.source.removeprefix(f"{payout.subject}:") for journal in journals]


def steps(payout):
    return [(step.status, step.by) for step in payout.steps.select_related("by")]


def test_a_request_claims_all_that_is_available():
    teacher = teacher_with(9000)
    payout = requested(teacher)
    assert (payout.amount, payout.status, payout.way) == (pounds(9000), "requested", "transfer")
    assert books_of(teacher) == (0, 9000)
    assert sources(payout) == ["requested"]
    assert steps(payout) == [("requested", teacher.user)]
    assert broken(INVARIANTS) == {}


def test_a_part_can_be_requested_and_the_rest_stays():
    teacher = teacher_with(9000)
    requested(teacher, 4000)
    assert books_of(teacher) == (5000, 4000)


@pytest.mark.parametrize(
    ("minor", "refused", "message"),
    [
        (9001, MoreThanAvailable, "Only £90.00 is available."),
        (999, BelowMinimum, "The minimum payout is £10.00."),
        (0, NotPayable, "more than zero"),
        (-100, NotPayable, "more than zero"),
        (10**15, MoreThanAvailable, "Only £90.00"),
    ],
)
def test_an_impossible_amount_gets_a_clear_word_and_changes_nothing(minor, refused, message):
    teacher = teacher_with(9000)
    with pytest.raises(refused, match=message):
        requested(teacher, minor)
    assert books_of(teacher) == (9000, 0)
    assert not Payout.objects.exists()


def test_an_amount_in_another_currency_is_refused():
    teacher = teacher_with(9000)
    with pytest.raises(NotPayable):
        request_payout(teacher=teacher, currency="GBP", amount=Money(2000, "EUR"))


def test_too_little_a_debt_and_nothing_are_refused():
    for minor in (999, -500, 0):
        teacher = teacher_with(minor)
        with pytest.raises(BelowMinimum, match=r"The minimum payout is £10\.00"):
            requested(teacher)


@pytest.mark.parametrize(
    ("currency", "minor", "least"), [("TWD", 99, 100), ("ISK", 99, 100), ("UGX", 99, 100), ("KWD", 9, 10)]
)
def test_the_minimum_is_never_less_than_a_bank_can_be_paid(settings, currency, minor, least):
    """dubinc/dub#4458: negligible balances were taken for payable, and each payout failed."""
    settings.PAYOUT_MINIMUMS = {"UGX": 1}
    assert minimum_payout(currency) == Money(least, currency)
    with pytest.raises(BelowMinimum, match=f"The minimum payout is {re.escape(str(Money(least, currency)))}"):
        requested(teacher_with(minor, currency), currency=currency)


def test_amounts_that_banks_do_not_pay_roll_on():
    teacher = teacher_with(2_000_050, "HUF")
    with pytest.raises(NotPayable, match="nearest amount below"):
        requested(teacher, 2_000_050, "HUF")
    assert requested(teacher, currency="HUF").amount == Money(2_000_000, "HUF")
    assert books_of(teacher, "HUF") == (50, 2_000_000)


def test_a_tiny_remainder_in_another_currency_never_fails_the_rest():
    """PO-02 (antiwork/gumroad#5150): 80.00 EUR is paid, 0.50 USD rolls on."""
    teacher = teacher_with(8000, "EUR")
    earn(teacher, 50, "USD")
    assert requested(teacher, currency="EUR").amount == Money(8000, "EUR")
    with pytest.raises(BelowMinimum):
        requested(teacher, currency="USD")
    assert books_of(teacher, "USD") == (50, 0)


def test_one_payout_is_open_per_currency():
    teacher = teacher_with(9000)
    earn(teacher, 5000, "EUR")
    requested(teacher, 4000)
    with pytest.raises(PayoutAlreadyOpen, match="already under way"):
        requested(teacher, 4000)
    assert requested(teacher, currency="EUR").amount == Money(5000, "EUR")
    assert books_of(teacher) == (5000, 4000)


def test_the_database_itself_allows_one_open_payout_per_currency():
    payout = requested()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.create(teacher=payout.teacher, amount_minor=1, currency="GBP", origin="teacher")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"are_details_submitted": False, "can_receive_transfers": False}, "not complete"),
        ({"can_pay_out": False, "requirements_due": ["individual.verification.document"]}, "more details"),
        ({"can_receive_transfers": False}, "still checking"),
        ({"closed_at": timezone.now()}, "was closed"),
        ({"replaced_at": timezone.now()}, "Set up your Stripe account first"),
    ],
)
def test_without_a_ready_account_nothing_can_be_requested(changes, message):
    teacher = TeacherFactory()
    ready_account(teacher, **changes)
    earn(teacher, 9000)
    with pytest.raises(AccountNotReady, match=message):
        requested(teacher)


def test_declining_gives_the_money_back_once_and_mails_the_reason():
    payout, staff = requested(), UserFactory(is_staff=True)
    decline_payout(payout_id=payout.pk, by=staff, reason="Please confirm your address first.")
    payout.refresh_from_db()
    assert (payout.status, payout.decided_by, payout.note) == ("declined", staff, "Please confirm your address first.")
    assert books_of(payout.teacher) == (9000, 0)
    assert sources(payout) == ["requested", "declined"]
    mail = Mail.objects.get(key=f"payout:{payout.reference}:declined")
    assert (mail.user, mail.context["reason"]) == (payout.teacher.user, "Please confirm your address first.")
    with pytest.raises(DecisionRefused, match=f"already declined by {staff}"):
        decline_payout(payout_id=payout.pk, by=staff, reason="Again")
    with pytest.raises(DecisionRefused, match="already declined"):
        approve_payout(payout_id=payout.pk, by=staff)
    assert books_of(payout.teacher) == (9000, 0)
    assert requested(payout.teacher).amount == pounds(9000)
    assert broken(INVARIANTS) == {}


def test_declining_needs_a_reason():
    payout = requested()
    with pytest.raises(DecisionRefused, match="reason"):
        decline_payout(payout_id=payout.pk, by=UserFactory(), reason="  ")
    payout.refresh_from_db()
    assert payout.status == "requested"


def test_approving_creates_the_work_to_send_it_and_keeps_the_claim():
    payout, staff = requested(), UserFactory(is_staff=True)
    approve_payout(payout_id=payout.pk, by=staff, note="As usual")
    payout.refresh_from_db()
    assert (payout.status, payout.decided_by, payout.note) == ("approved", staff, "As usual")
    assert PayoutTransfer.objects.get().payout == payout
    assert books_of(payout.teacher) == (0, 9000)
    assert broken(INVARIANTS) == {}


def test_a_payout_to_an_account_that_was_disabled_is_not_approved_and_can_be_later():
    payout = requested()
    ConnectedAccount.objects.update(can_pay_out=False, requirements_due=["external_account"])
    with pytest.raises(AccountNotReady, match="more details"):
        approve_payout(payout_id=payout.pk, by=UserFactory())
    payout.refresh_from_db()
    assert (payout.status, PayoutTransfer.objects.count()) == ("requested", 0)
    ConnectedAccount.objects.update(can_pay_out=True, requirements_due=[])
    assert approve_payout(payout_id=payout.pk, by=UserFactory()).status == "approved"


def bank_transfer(**changes):
    fields = {"paid_on": timezone.now().date(), "last_four": "4321", "fee": pounds(0)}
    return BankTransfer(**{**fields, **changes})


def test_a_bank_transfer_by_hand_pays_a_requested_payout():
    payout, staff = requested(), UserFactory(is_staff=True)
    before = balance(AccountKind.BANK)
    record_bank_transfer(payout_id=payout.pk, by=staff, transfer=bank_transfer(note="Ref 88"))
    payout.refresh_from_db()
    assert (payout.status, payout.way, payout.bank_last_four) == ("paid", "bank", "4321")
    assert books_of(payout.teacher) == (0, 0)
    assert balance(AccountKind.BANK) - before == -9000
    assert sources(payout) == ["requested", "paid"]
    assert Mail.objects.get(key=f"payout:{payout.reference}:paid").context["last_four"] == "4321"
    with pytest.raises(DecisionRefused, match="already paid"):
        record_bank_transfer(payout_id=payout.pk, by=staff, transfer=bank_transfer())
    assert broken(INVARIANTS) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paid_on": timezone.now().date() + timedelta(days=2)}, "in the future"),
        ({"paid_on": date(26, 11, 30)}, "close to the current one"),
        ({"last_four": "123"}, "last four"),
        ({"last_four": "12 4"}, "last four"),
        ({"fee": pounds(-1)}, "fee"),
        ({"fee": Money(1, "EUR")}, "fee"),
    ],
)
def test_a_senseless_bank_transfer_is_refused(changes, message):
    payout = requested()
    with pytest.raises(DecisionRefused, match=message):
        record_bank_transfer(payout_id=payout.pk, by=UserFactory(), transfer=bank_transfer(**changes))
    payout.refresh_from_db()
    assert (payout.status, books_of(payout.teacher)) == ("requested", (0, 9000))


def test_a_returned_bank_transfer_is_owed_again_and_its_fee_stays_the_platforms():
    """LB-01 (opencollective#6230): owed 90.00, not 91.00; the payout cost the platform 1.00, once."""
    payout, staff = requested(), UserFactory(is_staff=True)
    bank, fees = balance(AccountKind.BANK), balance(AccountKind.PAYOUT_FEES)
    record_bank_transfer(payout_id=payout.pk, by=staff, transfer=bank_transfer(fee=pounds(100)))
    assert (balance(AccountKind.BANK) - bank, balance(AccountKind.PAYOUT_FEES) - fees) == (-9100, 100)
    record_bank_return(payout_id=payout.pk, by=staff, note="Account closed")
    payout.refresh_from_db()
    assert (payout.status, payout.returned_minor) == ("returned", 9000)
    assert books_of(payout.teacher) == (9000, 0)
    assert (balance(AccountKind.BANK) - bank, balance(AccountKind.PAYOUT_FEES) - fees) == (-100, 100)
    with pytest.raises(DecisionRefused, match="returned"):
        record_bank_return(payout_id=payout.pk, by=staff, note="Again")
    assert books_of(payout.teacher) == (9000, 0)
    assert broken(INVARIANTS) == {}


def test_staff_pay_a_teacher_without_an_account_by_bank_whatever_the_minimum():
    teacher = TeacherFactory()
    earn(teacher, 700)
    payout = pay_by_bank(
        teacher=teacher, amount=pounds(700), by=UserFactory(), transfer=bank_transfer(), reference=uuid.uuid4()
    )
    assert (payout.status, payout.origin, books_of(teacher)) == ("paid", "staff", (0, 0))
    with pytest.raises(PayoutRefused):
        pay_by_bank(
            teacher=teacher, amount=pounds(1), by=UserFactory(), transfer=bank_transfer(), reference=uuid.uuid4()
        )
    assert broken(INVARIANTS) == {}


def test_history_and_payouts_are_kept_as_they_are():
    payout = requested()
    for change in (
        lambda: payout.steps.update(note="rewritten"),
        lambda: PayoutStep.objects.all()._raw_delete("default"),
        lambda: Payout.objects.filter(pk=payout.pk).update(amount_minor=1),
        lambda: Payout.objects.filter(pk=payout.pk)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_refund_before_the_payout_is_taken_off_what_can_be_paid():
    """PO-01 and PO-08: what was refunded is not paid out, whenever it was sold."""
    teacher = teacher_with(9000)
    first = requested(teacher)
    record_bank_transfer(payout_id=first.pk, by=UserFactory(), transfer=bank_transfer())
    earn(teacher, -9000)
    earn(teacher, 18000)
    assert requested(teacher).amount == pounds(9000)
    assert books_of(teacher) == (0, 9000)


# --- Two at once ------------------------------------------------------------------------------------------------------


def at_once(*calls):
    """Run the calls in threads with connections of their own, from one moment on; returns results or exceptions."""
    barrier = Barrier(len(calls))

    def call(function):
        try:
            with connection.cursor():
                barrier.wait(timeout=20)
            return function()
        except Exception as problem:  # noqa: BLE001  # compared by the test
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_one_wins_and_the_others_are_told():
    teacher = teacher_with(9000)
    results = at_once(*[lambda: requested(teacher, 4000)] * 4)
    won = [result for result in results if isinstance(result, Payout)]
    assert len(won) == 1
    assert all(isinstance(result, PayoutAlreadyOpen) for result in results if result not in won)
    assert books_of(teacher) == (5000, 4000)
    assert broken(INVARIANTS) == {}


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_wins():
    payout = requested()
    first, second, third = (UserFactory(is_staff=True) for _ in range(3))
    results = at_once(
        lambda: approve_payout(payout_id=payout.pk, by=first),
        lambda: approve_payout(payout_id=payout.pk, by=second),
        lambda: record_bank_transfer(payout_id=payout.pk, by=third, transfer=bank_transfer()),
    )
    assert sum(isinstance(result, DecisionRefused) for result in results) == 2, results
    assert PayoutTransfer.objects.count() <= 1
    assert payout.steps.count() == 2
    assert broken(INVARIANTS) == {}


def take_for_refund(teacher, minor):
    """As a refund request does: lock, check nothing, take the share; it may leave a debt."""
    with transaction.atomic():
        lock_teacher_accounts([teacher.pk], "GBP")
        earn(teacher, -minor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("payout_first", [True, False])
def test_refund_and_payout_of_the_same_money_never_both_win(payout_first):
    """Whichever locks the accounts first, the other sees what it did. Failure mode 41."""
    teacher = teacher_with(9000)
    pair = [lambda: requested(teacher), lambda: take_for_refund(teacher, 9000)]
    first, second = pair if payout_first else reversed(pair)
    results = []

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            lock_teacher_accounts([teacher.pk], "GBP")
            waiting = threads.submit(lambda: at_once(second))
            results.append(run_caught(first))
        results += waiting.result(timeout=30)
    payouts = Payout.objects.filter(teacher=teacher)
    if payout_first:
        # The refund comes too late for the claim: the teacher is in debt for it.
        assert (payouts.count(), books_of(teacher)) == (1, (-9000, 9000))
    else:
        assert (payouts.count(), books_of(teacher)) == (0, (0, 0))
        assert any(isinstance(result, BelowMinimum) for result in results)
    assert broken(INVARIANTS) == {}


def run_caught(call):
    try:
        with transaction.atomic():
            return call()
    except PayoutRefused as refusal:
        return refusal


def test_approved_and_declined_before_it_was_sent():
    payout = approved()
    decline_payout(payout_id=payout.pk, by=UserFactory(), reason="Changed our mind.")
    assert books_of(payout.teacher) == (9000, 0)
    assert broken(INVARIANTS) == {}
