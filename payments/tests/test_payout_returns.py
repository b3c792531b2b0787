"""What comes back of a payout: transfers reversed, and money that a teacher's bank returned."""

import pytest

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken
from ledger.entries import AccountKind
from money import Money
from notifications.models import Alert, Mail
from payments.invariants import INVARIANTS
from payments.models import (
    BankPayout,
    PayoutReversal,
)
from payments.payouts.follow_up import follow_up_accounts
from payments.payouts.requests import current_account
from payments.tests.payout_factories import (
    available_at_stripe,
    balance,
    books_of,
    earn,
    onboarded,
    perform,
)
from payments.tests.test_payout_sending import USD, again, due_at_once, events_of, paid, receive

pytestmark = pytest.mark.django_db


def reverse(sandbox, payout, **data):
    path = f"{sandbox.url}/v1/transfers/{again(payout).transfer.stripe_transfer_id}/reversals"
    answer = sandbox.http.post(path, data=data, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def test_a_reversal_in_the_dashboard_is_owed_again_once_in_parts_too(sandbox, teacher):
    payout = paid(sandbox, teacher)
    clearing = balance(AccountKind.STRIPE_CLEARING, USD)
    reverse(sandbox, payout, amount=2500)
    [event] = events_of(sandbox, "transfer.reversed")
    receive(event, {**event, "id": "evt_twice"})
    assert (again(payout).status, payout.returned_minor) == ("paid", 2500)
    assert books_of(teacher, USD) == (2500, 0)
    reverse(sandbox, payout)
    [_, last] = events_of(sandbox, "transfer.reversed")
    receive(last)
    assert (again(payout).status, payout.returned_minor) == ("returned", 9000)
    assert books_of(teacher, USD) == (9000, 0)
    assert balance(AccountKind.STRIPE_CLEARING, USD) - clearing == 9000
    assert Mail.objects.filter(key__startswith=f"payout:{payout.reference}:returned").count() == 2
    assert broken(INVARIANTS) == {}


def bank_returns(sandbox, teacher):
    """The money moves on to the teacher's bank, which returns it days later."""
    account = current_account(teacher.pk)
    sandbox.switch("clock", advance=7 * 86_400)
    return account, events_of(sandbox, "payout.failed", account=account)


def test_when_the_teachers_bank_returns_the_money_it_is_taken_back_and_owed_again(sandbox):
    """Failure mode 47: payout fails, money back."""
    teacher = TeacherFactory()
    onboarded(sandbox, teacher, account_number="000111111116")
    earn(teacher, 9000, USD)
    payout = paid(sandbox, teacher)
    before = available_at_stripe()
    _, failed = bank_returns(sandbox, teacher)
    assert failed
    receive(*failed)
    assert BankPayout.objects.get().status == "failed"
    perform(PayoutReversal)
    assert (again(payout).status, books_of(teacher, USD)) == ("returned", (9000, 0))
    assert available_at_stripe() - before == Money(9000, USD)
    assert Mail.objects.filter(template="payments/mail/payout_bank_refused", user=teacher.user).count() == 1
    assert Alert.objects.filter(key__startswith="bank-payout-failed:").exists()
    # Reported again, and found again: nothing more comes back.
    receive(*[{**event, "id": f"{event['id']}_again"} for event in failed])
    follow_up_accounts()
    due_at_once(PayoutReversal)
    perform(PayoutReversal)
    assert PayoutReversal.objects.count() == 1
    assert books_of(teacher, USD) == (9000, 0)
    assert broken(INVARIANTS) == {}


def test_a_missed_event_of_the_bank_is_found_by_asking(sandbox):
    teacher = TeacherFactory()
    onboarded(sandbox, teacher, account_number="000111111113")
    earn(teacher, 9000, USD)
    payout = paid(sandbox, teacher)
    bank_returns(sandbox, teacher)
    follow_up_accounts()
    perform(PayoutReversal)
    assert (again(payout).status, books_of(teacher, USD)) == ("returned", (9000, 0))


def test_the_answer_to_a_reversal_is_lost(sandbox):
    teacher = TeacherFactory()
    onboarded(sandbox, teacher, account_number="000111111116")
    earn(teacher, 9000, USD)
    payout = paid(sandbox, teacher)
    _, failed = bank_returns(sandbox, teacher)
    receive(*failed)
    sandbox.fault("drop_reply", path="/v1/transfers/*/reversals", count=3)
    perform(PayoutReversal)
    assert PayoutReversal.objects.get().status == "requested"
    due_at_once(PayoutReversal)
    perform(PayoutReversal)
    assert (again(payout).status, books_of(teacher, USD)) == ("returned", (9000, 0))
    assert broken(INVARIANTS) == {}


def test_a_reversal_that_is_refused_leaves_the_payout_paid_and_is_not_repeated(sandbox):
    teacher = TeacherFactory()
    account = onboarded(sandbox, teacher, account_number="000111111116")
    earn(teacher, 9000, USD)
    payout = paid(sandbox, teacher)
    _, failed = bank_returns(sandbox, teacher)
    receive(*failed)
    assert sandbox.http.delete(f"{sandbox.url}/v1/accounts/{account.stripe_account_id}", timeout=30).ok
    perform(PayoutReversal)
    reversal = PayoutReversal.objects.get()
    assert (reversal.status, reversal.state) == ("failed", "done")
    assert (again(payout).status, books_of(teacher, USD)) == ("paid", (0, 0))
    assert Alert.objects.filter(key=f"payout-reversal-failed:{reversal.pk}").exists()
    due_at_once(PayoutReversal)
    assert perform(PayoutReversal) == []
    assert broken(INVARIANTS) == {}


def test_the_teacher_sees_the_money_arrive(sandbox, teacher):
    payout = paid(sandbox, teacher)
    account = current_account(teacher.pk)
    sandbox.switch("clock", advance=2 * 86_400)
    receive(*events_of(sandbox, "payout.created", account=account))
    assert again(payout).transfer.bank_payout.get_status_display() == "on its way"
    sandbox.switch("clock", advance=7 * 86_400)
    receive(*events_of(sandbox, "payout.paid", account=account))
    assert again(payout).transfer.bank_payout.status == "paid"
    # A late event of an earlier state is fetched, so nothing goes backwards.
    [created] = events_of(sandbox, "payout.created", account=account)
    receive({**created, "id": "evt_late"})
    assert BankPayout.objects.get().status == "paid"


@pytest.mark.parametrize("event_type", ["transfer.created", "transfer.updated", "transfer.reversed"])
def test_an_event_whose_object_names_no_transfer_is_parked_or_not_ours(sandbox, teacher, event_type):
    payout = paid(sandbox, teacher)
    [real, *_] = events_of(sandbox, "transfer.created")
    transfer = real["data"]["object"]
    for number, changes in enumerate([{"id": None}, {"id": 5}, {"id": "tr_unknown"}, {"metadata": 5}, {"amount": 1}]):
        event = {**real, "id": f"evt_{number}", "type": event_type, "data": {"object": {**transfer, **changes}}}
        [stored] = receive(event)
        assert stored.state in ("done", "parked"), stored.last_error
        assert (stored.attempts, again(payout).status) == (1, "paid")
    assert books_of(teacher, USD) == (0, 0)
