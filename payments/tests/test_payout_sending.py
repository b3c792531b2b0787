"""Payouts at the real sandbox: onboarding, the one transfer, lost answers, a low balance, reversals, the bank's answer."""

import time

import pytest

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from ledger.entries import AccountKind
from ledger.models import Journal
from money import Money
from notifications.models import Alert, Mail
from payments.invariants import INVARIANTS
from payments.models import (
    ConnectedAccount,
    FetchedEvent,
    Payout,
    PayoutTransfer,
    WebhookEvent,
)
from payments.payouts import gateway
from payments.payouts.accounts import refresh_account, replace_account, start_onboarding
from payments.payouts.decisions import DecisionRefused, approve_payout, decline_payout
from payments.payouts.recording import TransferDisagrees, record_transfer
from payments.payouts.requests import AccountNotReady, current_account
from payments.payouts.sending import send_transfer
from payments.payouts.stripe_objects import read_available
from payments.stripe_api import StripeUnreachable
from payments.tests.payout_factories import (
    approved,
    balance,
    books_of,
    earn,
    fill_in,
    fund,
    onboarded,
    perform,
    requested,
    transfers_at,
)
from payments.tests.test_payout_requests import at_once
from payments.webhook.inbox import UnusableEvent, store_event

pytestmark = pytest.mark.django_db

USD = "USD"


def approved_usd(teacher):
    return approved(teacher, currency=USD)


def again(payout):
    payout.refresh_from_db()
    return payout


def due_at_once(model=PayoutTransfer):
    """Let waiting work run now, as it does later."""
    model.objects.filter(state="waiting").update(run_after="2020-01-01T00:00:00Z")


def retry():
    due_at_once()
    return perform(PayoutTransfer)


def events_of(sandbox, *types, account=None):
    """The sandbox's events of some types, oldest first, of the platform or a connected account."""
    headers = {"Stripe-Account": account.stripe_account_id} if account else {}
    query = {"limit": 100, "types[]": list(types)}
    answer = sandbox.http.get(f"{sandbox.url}/v1/events", params=query, headers=headers, timeout=30).json()
    events = [dict(event) for event in reversed(answer["data"])]
    if account:
        events = [{**event, "account": account.stripe_account_id} for event in events]
    return events


def receive(*events):
    """Store events as the endpoint does, and process them."""
    for event in events:
        store_event(event, source=WebhookEvent.Source.WEBHOOK)
    perform(FetchedEvent)
    return [WebhookEvent.objects.get(stripe_id=event["id"]) for event in events]


def assert_paid_once(sandbox, payout):
    assert len(transfers_at(sandbox, payout)) == 1
    assert again(payout).status == "paid"
    assert Journal.objects.filter(source=f"payout:{payout.reference}:paid").count() == 1
    assert broken(INVARIANTS) == {}


def paid(sandbox, teacher):
    payout = approved_usd(teacher)
    perform(PayoutTransfer)
    assert again(payout).status == "paid"
    return payout


# --- Onboarding -------------------------------------------------------------------------------------------------------


def test_a_teacher_sets_up_an_account_and_is_ready_once_stripe_says_so(sandbox):
    teacher = TeacherFactory()
    link = start_onboarding(teacher, country="US", return_url="http://site/return", refresh_url="http://site/renew")
    account = current_account(teacher.pk)
    assert (account.state, account.can_be_paid, account.api) == ("incomplete", False, "v1")
    assert fill_in(sandbox, link) == "http://site/return"
    assert refresh_account(account).state == "checking"
    sandbox.switch("clock", advance=10)
    account = refresh_account(account)
    assert (account.state, account.country, account.requirements_due) == ("ready", "US", [])


def test_two_clicks_are_one_account_and_a_used_link_leads_to_a_new_one(sandbox):
    teacher = TeacherFactory()
    urls = {"return_url": "http://site/return", "refresh_url": "http://site/renew"}
    first = start_onboarding(teacher, country="US", **urls)
    second = start_onboarding(teacher, country="US", **urls)
    assert first != second
    assert ConnectedAccount.objects.count() == 1
    fill_in(sandbox, first)
    used = sandbox.http.get(first, allow_redirects=False, timeout=30)
    assert used.headers["Location"] == "http://site/renew"


def test_a_lost_answer_to_the_creation_leaves_one_account(sandbox):
    teacher = TeacherFactory()
    urls = {"return_url": "http://site/return", "refresh_url": "http://site/renew"}
    sandbox.fault("drop_reply", path="/v1/accounts", count=3)
    with pytest.raises(StripeUnreachable):
        start_onboarding(teacher, country="US", **urls)
    assert not ConnectedAccount.objects.exists()
    start_onboarding(teacher, country="US", **urls)
    accounts = sandbox.get("accounts", limit=100)["data"]
    assert [account["id"] for account in accounts] == [ConnectedAccount.objects.get().stripe_account_id]


def test_an_account_that_lost_its_capabilities_is_not_ready(sandbox, teacher):
    account = current_account(teacher.pk)
    restrict(sandbox, account)
    account = refresh_account(account)
    assert (account.state, account.can_be_paid) == ("restricted", False)
    with pytest.raises(AccountNotReady):
        requested(teacher, currency=USD)


def restrict(sandbox, account):
    """Let Stripe require a document after all."""
    fill_in(sandbox, link_to(account), outcome="require_more")


def link_to(account):
    return gateway.create_onboarding_link(account, return_url="http://site/return", refresh_url="http://site/renew")


def test_a_deleted_account_is_closed_and_another_can_be_set_up(sandbox, teacher):
    old = current_account(teacher.pk)
    assert sandbox.http.delete(f"{sandbox.url}/v1/accounts/{old.stripe_account_id}", timeout=30).ok
    assert refresh_account(old).state == "closed"
    new = onboarded(sandbox, teacher)
    assert new.stripe_account_id != old.stripe_account_id
    old.refresh_from_db()
    assert (old.is_current, new.can_be_paid) == (False, True)


# --- The one transfer -------------------------------------------------------------------------------------------------


def test_an_approved_payout_is_one_transfer_in_the_currency_of_the_books(sandbox, teacher):
    clearing = balance(AccountKind.STRIPE_CLEARING, USD)
    payout = approved_usd(teacher)
    perform(PayoutTransfer)
    [transfer] = transfers_at(sandbox, payout)
    assert (transfer["amount"], transfer["currency"]) == (9000, "usd")
    assert transfer["destination"] == current_account(teacher.pk).stripe_account_id
    assert transfer["metadata"] == {"payout": str(payout.reference)}
    assert again(payout).transfer.stripe_transfer_id == transfer["id"]
    assert books_of(teacher, USD) == (0, 0)
    assert balance(AccountKind.STRIPE_CLEARING, USD) - clearing == -9000
    assert [step.status for step in payout.steps.all()] == ["requested", "approved", "sent", "paid"]
    assert Mail.objects.filter(key=f"payout:{payout.reference}:paid").count() == 1
    assert_paid_once(sandbox, payout)


def test_a_repeat_of_the_work_sends_nothing(sandbox, teacher):
    payout = approved_usd(teacher)
    perform(PayoutTransfer)
    work = PayoutTransfer.objects.get()
    assert work.retry_now()
    perform(PayoutTransfer)
    assert_paid_once(sandbox, payout)


@pytest.mark.parametrize("kind", ["drop_reply", "server_error", "hang"])
def test_a_lost_answer_leaves_it_unknown_and_claimed_until_stripe_is_asked(sandbox, teacher, kind):
    """PO-05 (spree#14500): nothing is released, nothing goes out twice, even after Stripe has forgotten the key."""
    payout = approved_usd(teacher)
    sandbox.fault(kind, path="/v1/transfers", count=3, seconds=14)
    perform(PayoutTransfer)
    assert again(payout).status == "unknown"
    assert books_of(teacher, USD) == (0, 9000)
    assert broken(INVARIANTS) == {}
    key = PayoutTransfer.objects.get().idempotency_key
    sandbox.switch("faults", clear=True)
    sandbox.switch("clock", advance=25 * 3600)
    retry()
    if kind == "hang" and again(payout).status == "unknown":
        # Stripe says that the first request is still under way.
        time.sleep(5)
        retry()
    assert PayoutTransfer.objects.get().idempotency_key == key
    assert_paid_once(sandbox, payout)
    assert books_of(teacher, USD) == (0, 0)


def test_an_unknown_payout_cannot_be_declined(sandbox, teacher):
    payout = approved_usd(teacher)
    sandbox.fault("drop_reply", path="/v1/transfers", count=3)
    perform(PayoutTransfer)
    with pytest.raises(Exception, match="waiting for Stripe"):
        decline_payout(payout_id=payout.pk, by=UserFactory(), reason="No")


def test_the_event_may_come_before_the_answer_is_known(sandbox, teacher):
    payout = approved_usd(teacher)
    sandbox.fault("drop_reply", path="/v1/transfers", count=3)
    perform(PayoutTransfer)
    [event] = events_of(sandbox, "transfer.created")
    [stored] = receive(event)
    assert (stored.state, stored.outcome) == ("done", "payout paid")
    receive({**event, "id": "evt_again"})
    retry()
    assert_paid_once(sandbox, payout)


def test_a_key_that_stripe_limits_is_tried_again_with_the_same_key(sandbox, teacher):
    """PO-07 (elizaOS#11022): after a 429 nothing was put back, so nothing is paid twice."""
    payout = approved_usd(teacher)
    key = PayoutTransfer.objects.get().idempotency_key
    sandbox.fault("rate_limit", path="/v1/transfers", count=6)
    perform(PayoutTransfer)
    assert (again(payout).status, books_of(teacher, USD)) == ("unknown", (0, 9000))
    sandbox.switch("faults", clear=True)
    retry()
    assert PayoutTransfer.objects.get().idempotency_key == key
    assert_paid_once(sandbox, payout)
    assert books_of(teacher, USD) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_an_event_at_once_are_one_transfer(sandbox, teacher):
    """A worker that was held up beyond its lease meets the one that took over, and Stripe's event comes meanwhile."""
    payout = approved_usd(teacher)

    def report():
        time.sleep(0.1)
        for transfer in transfers_at(sandbox, payout):
            record_transfer(gateway.retrieve_transfer(transfer["id"]))

    results = at_once(
        lambda: send_transfer(PayoutTransfer.objects.get()), lambda: send_transfer(PayoutTransfer.objects.get()), report
    )
    # The slower one may be told that the first request is still under way.
    assert all(result is None or isinstance(result, StripeUnreachable) for result in results), results
    retry()
    assert_paid_once(sandbox, payout)
    assert books_of(teacher, USD) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_decision_to_decline_and_the_sending_never_both_win(sandbox, teacher):
    payout = approved_usd(teacher)
    declined, sent = at_once(
        lambda: decline_payout(payout_id=payout.pk, by=payout.teacher.user, reason="Too late?"),
        lambda: send_transfer(PayoutTransfer.objects.get()),
    )
    if isinstance(declined, DecisionRefused):
        assert_paid_once(sandbox, payout)
    else:
        assert (sent, again(payout).status) == (None, "declined")
        assert (transfers_at(sandbox, payout), books_of(teacher, USD)) == ([], (9000, 0))
    assert broken(INVARIANTS) == {}


# --- The balance is too low -------------------------------------------------------------------------------------------


def test_a_low_balance_is_noticed_before_sending_and_the_payout_waits(stripe_sandbox):
    teacher = TeacherFactory()
    onboarded(stripe_sandbox, teacher)
    earn(teacher, 9000, USD)
    payout = approved_usd(teacher)
    perform(PayoutTransfer)
    work = PayoutTransfer.objects.get()
    assert (again(payout).status, work.state, work.postponements) == ("approved", "waiting", 1)
    assert books_of(teacher, USD) == (0, 9000)
    assert Alert.objects.filter(key="payout-balance-low:USD", cleared_at=None).exists()
    fund(stripe_sandbox, 20_000)
    retry()
    assert_paid_once(stripe_sandbox, payout)
    assert not Alert.objects.filter(key="payout-balance-low:USD", cleared_at=None).exists()


def test_a_refusal_for_a_low_balance_ends_the_key_and_is_tried_again(sandbox, teacher, monkeypatch):
    """Another transfer took the balance after the look. Stripe would repeat its refusal for the same key."""
    payout = approved_usd(teacher)
    key = PayoutTransfer.objects.get().idempotency_key
    look = gateway.retrieve_available_balance

    def look_then_lose_it():
        seen = look()
        account = current_account(teacher.pk).stripe_account_id
        data = {"amount": seen[USD].minor, "currency": "usd", "destination": account}
        assert sandbox.http.post(f"{sandbox.url}/v1/transfers", data=data, timeout=30).ok
        return seen

    monkeypatch.setattr(gateway, "retrieve_available_balance", look_then_lose_it)
    perform(PayoutTransfer)
    monkeypatch.undo()
    assert (again(payout).status, books_of(teacher, USD)) == ("approved", (0, 9000))
    assert PayoutTransfer.objects.get().idempotency_key != key
    fund(sandbox, 20_000)
    retry()
    assert_paid_once(sandbox, payout)


# --- Refused ----------------------------------------------------------------------------------------------------------


def test_an_account_that_was_disabled_a_second_ago_gets_a_clear_word_and_the_money_goes_back_once(sandbox, teacher):
    payout = approved_usd(teacher)
    restrict(sandbox, current_account(teacher.pk))
    perform(PayoutTransfer)
    assert again(payout).status == "failed"
    assert "does not pay out to your account" in payout.failure_reason
    assert books_of(teacher, USD) == (9000, 0)
    assert transfers_at(sandbox, payout) == []
    assert Mail.objects.filter(key=f"payout:{payout.reference}:failed").count() == 1
    assert Alert.objects.filter(key=f"payout-failed:{payout.reference}").exists()
    retry()
    assert books_of(teacher, USD) == (9000, 0)
    assert broken(INVARIANTS) == {}
    # Once the account is in order, another payout goes out.
    complete(sandbox, current_account(teacher.pk))
    second = approved_usd(teacher)
    retry()
    assert_paid_once(sandbox, second)


def complete(sandbox, account):
    fill_in(sandbox, link_to(account))
    sandbox.switch("clock", advance=10)
    refresh_account(account)


def test_an_account_that_is_disabled_while_the_request_is_under_way_fails_too(sandbox, teacher, monkeypatch):
    payout = approved_usd(teacher)
    look = gateway.retrieve_available_balance

    def look_then_restrict():
        restrict(sandbox, current_account(teacher.pk))
        return look()

    monkeypatch.setattr(gateway, "retrieve_available_balance", look_then_restrict)
    perform(PayoutTransfer)
    assert again(payout).status == "failed"
    assert "capabilities" in payout.failure_reason
    assert (books_of(teacher, USD), transfers_at(sandbox, payout)) == ((9000, 0), [])
    assert broken(INVARIANTS) == {}


def test_money_goes_to_the_current_account(sandbox, teacher):
    """PO-04 (gumroad#650): the teacher moved; what is paid goes to the new account, not to the old one."""
    payout = requested(teacher, currency=USD)
    old = current_account(teacher.pk)
    urls = {"return_url": "http://site/return", "refresh_url": "http://site/renew"}
    fill_in(sandbox, replace_account(teacher, country="US", **urls))
    sandbox.switch("clock", advance=10)
    new = refresh_account(current_account(teacher.pk))
    assert new.pk != old.pk
    approve_payout(payout_id=payout.pk, by=UserFactory())
    perform(PayoutTransfer)
    [transfer] = transfers_at(sandbox, payout)
    assert transfer["destination"] == new.stripe_account_id
    assert_paid_once(sandbox, payout)


# --- Events of others -------------------------------------------------------------------------------------------------


def test_events_of_unknown_accounts_are_refused_and_those_of_known_ones_stored(sandbox, teacher):
    account = current_account(teacher.pk)
    [event, *_] = events_of(sandbox, "account.updated", account=account)
    [stored] = receive(event)
    assert (stored.state, stored.outcome) == ("done", "account ready")
    with pytest.raises(UnusableEvent, match="another account"):
        store_event({**event, "id": "evt_x", "account": "acct_unknown"}, source=WebhookEvent.Source.WEBHOOK)


def test_a_payment_on_a_teachers_own_account_pays_no_order_here(sandbox, teacher):
    account = current_account(teacher.pk)
    [event, *_] = events_of(sandbox, "account.updated", account=account)
    foreign = {**event, "id": "evt_theirs", "type": "checkout.session.completed"}
    store_event(foreign, source=WebhookEvent.Source.WEBHOOK)
    due_at_once(WebhookEvent)
    perform(WebhookEvent)
    assert WebhookEvent.objects.get().outcome == "stored; nothing to do for this type"


def test_a_transfer_nobody_made_here_changes_nothing(sandbox, teacher):
    account = current_account(teacher.pk).stripe_account_id
    data = {"amount": 500, "currency": "usd", "destination": account}
    assert sandbox.http.post(f"{sandbox.url}/v1/transfers", data=data, timeout=30).ok
    [stored] = receive(*events_of(sandbox, "transfer.created"))
    assert (stored.outcome, stored.is_quarantined) == ("not ours", False)
    assert books_of(teacher, USD) == (9000, 0)


def test_a_transfer_that_names_a_payout_it_does_not_match_is_quarantined(sandbox, teacher):
    payout = requested(teacher, currency=USD)
    account = current_account(teacher.pk).stripe_account_id
    data = {"amount": 500, "currency": "usd", "destination": account, "metadata[payout]": str(payout.reference)}
    assert sandbox.http.post(f"{sandbox.url}/v1/transfers", data=data, timeout=30).ok
    [stored] = receive(*events_of(sandbox, "transfer.created"))
    assert (stored.state, stored.is_quarantined) == ("parked", True)
    assert (again(payout).status, books_of(teacher, USD)) == ("requested", (0, 9000))


def test_a_second_transfer_of_one_payout_is_never_recorded(sandbox, teacher):
    payout = paid(sandbox, teacher)
    account = current_account(teacher.pk).stripe_account_id
    data = {"amount": 9000, "currency": "usd", "destination": account, "metadata[payout]": str(payout.reference)}
    second = sandbox.http.post(f"{sandbox.url}/v1/transfers", data=data, timeout=30).json()
    with pytest.raises(TransferDisagrees, match="second transfer"):
        record_transfer(gateway.retrieve_transfer(second["id"]))
    assert books_of(teacher, USD) == (0, 0)


def test_a_transfer_for_a_payout_that_was_declined_becomes_a_debt_and_an_alert(sandbox, teacher):
    """Should Stripe have paid after all, the books say so: the money has left."""
    payout = requested(teacher, currency=USD)
    decline_payout(payout_id=payout.pk, by=UserFactory(), reason="No")
    account = current_account(teacher.pk).stripe_account_id
    data = {"amount": 9000, "currency": "usd", "destination": account, "metadata[payout]": str(payout.reference)}
    assert sandbox.http.post(f"{sandbox.url}/v1/transfers", data=data, timeout=30).ok
    receive(*events_of(sandbox, "transfer.created"))
    assert (again(payout).status, books_of(teacher, USD)) == ("paid", (0, 0))
    assert Alert.objects.filter(key=f"payout-paid-after-all:{payout.reference}").exists()
    assert Payout.objects.get().transfer.state == "done"
    assert broken(INVARIANTS) == {}


def test_a_balance_in_units_that_are_no_currency_stops_no_payout():
    """Stripe's balance lists stablecoins like currencies; it also lists a currency once for each place it is held."""
    parts = [("usdc", 5), ("gbp", 100), ("gbp", -30), ("kwd", 10)]
    available = read_available({"available": [{"currency": code, "amount": minor} for code, minor in parts]})
    assert available == {"GBP": Money(70, "GBP"), "KWD": Money(10, "KWD")}
