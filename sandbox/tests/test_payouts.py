import time

import pytest
import stripe

from sandbox.tests.connected import DAY, bank, charge, enabled, events, funds, of, types


@pytest.fixture(autouse=True)
def noon(sandbox):
    """So that no midnight, at which payouts are sent, passes between two lines of a test."""
    sandbox.advance((DAY // 2 - time.time()) % DAY)


def payout(client, account=None, amount=1000, **changes):
    return client.v1.payouts.create({"amount": amount, "currency": "usd"} | changes, of(account) if account else None)


def paid_account(sandbox, client, amount=5000, **changes):
    """A connected account with available funds."""
    account = enabled(sandbox, client, **changes)
    charge(client, amount * 2)
    client.v1.transfers.create({"amount": amount, "currency": "usd", "destination": account.id})
    return account


def payout_events(client, account=None):
    return [kind for kind in types(client, account) if kind.startswith("payout.")]


def test_a_payout_is_sent_at_midnight_and_paid_on_its_arrival_date(sandbox, client):
    account = paid_account(sandbox, client)
    made = payout(client, account, metadata={"a": "b"}, statement_descriptor="LESSONS")
    assert (made.status, made.automatic, made.method, made.type) == ("pending", False, "standard", "bank_account")
    assert (made.reconciliation_status, made.source_type) == ("not_applicable", "card")
    assert made.arrival_date % DAY == 0
    assert made.destination == account.external_accounts.data[0].id
    assert funds(client, account) == (4000, 0)
    sandbox.advance(DAY)
    assert client.v1.payouts.retrieve(made.id, None, of(account)).status == "in_transit"
    sandbox.advance(DAY)
    arrived = client.v1.payouts.retrieve(made.id, {"expand": ["balance_transaction", "destination"]}, of(account))
    assert (arrived.status, arrived.balance_transaction.amount) == ("paid", -1000)
    assert (arrived.balance_transaction.type, arrived.destination.last4) == ("payout", "6789")
    assert payout_events(client, account) == ["payout.created", "payout.updated", "payout.paid"]
    assert all(event.account == account.id for event in events(client, account))
    assert payout_events(client) == []


def test_a_payout_cannot_exceed_the_available_funds(sandbox, client):
    account = paid_account(sandbox, client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        payout(client, account, 5001)
    assert refused.value.code == "balance_insufficient"
    assert "Your card balance is too low" in refused.value.user_message
    with pytest.raises(stripe.InvalidRequestError, match="don't have any external accounts in that currency \\(eur\\)"):
        payout(client, account, currency="eur")
    with pytest.raises(stripe.InvalidRequestError, match="No such external account"):
        payout(client, account, destination="ba_nothing")
    with pytest.raises(stripe.InvalidRequestError, match="not eligible for Instant Payouts"):
        payout(client, account, method="instant")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("000111111116", "no_account"),
        ("000111111113", "account_closed"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"),
        ("000444444440", "invalid_currency"),
    ],
)
def test_a_failed_payout_returns_the_money_and_disables_its_bank_account(sandbox, client, number, code):
    account = paid_account(sandbox, client, number=number)
    made = payout(client, account)
    sandbox.advance(2 * DAY)
    failed = client.v1.payouts.retrieve(made.id, {"expand": ["failure_balance_transaction"]}, of(account))
    assert (failed.status, failed.failure_code) == ("failed", code)
    assert failed.failure_message
    back = failed.failure_balance_transaction
    assert (back.type, back.amount, funds(client, account)) == ("payout_failure", 1000, (5000, 0))
    assert types(client, account)[-4:] == [
        "payout.updated",
        "payout.failed",
        "account.external_account.updated",
        "account.updated",
    ]
    stopped = client.v1.accounts.retrieve(account.id)
    assert (stopped.payouts_enabled, stopped.charges_enabled) == (False, True)
    assert stopped.requirements.currently_due == ["external_account"]
    assert stopped.external_accounts.data[0].status == "errored"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        payout(client, account)
    assert refused.value.code == "payouts_not_allowed"
    client.v1.accounts.external_accounts.create(account.id, bank() | {"default_for_currency": True})
    assert payout(client, account).status == "pending"


def test_a_payout_can_be_canceled_until_it_is_sent(sandbox, client):
    account = paid_account(sandbox, client)
    made = payout(client, account)
    canceled = client.v1.payouts.cancel(made.id, {"expand": ["failure_balance_transaction"]}, of(account))
    assert (canceled.status, canceled.failure_balance_transaction.type) == ("canceled", "payout_cancel")
    assert funds(client, account) == (5000, 0)
    late = payout(client, account)
    sandbox.advance(DAY)
    with pytest.raises(stripe.InvalidRequestError, match="status of in_transit"):
        client.v1.payouts.cancel(late.id, None, of(account))
    assert payout_events(client, account) == ["payout.created", "payout.canceled", "payout.created", "payout.updated"]


def test_a_payout_of_a_connected_account_can_be_reversed_once(sandbox, client):
    account = paid_account(sandbox, client)
    made = payout(client, account)
    sandbox.advance(2 * DAY)
    reversal = client.v1.payouts.reverse(made.id, {"metadata": {"a": "b"}}, of(account))
    assert (reversal.amount, reversal.original_payout, reversal.metadata.a) == (-1000, made.id, "b")
    again = client.v1.payouts.retrieve(made.id, {"expand": ["reversed_by"]}, of(account))
    assert again.reversed_by.id == reversal.id
    assert funds(client, account) == (5000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="already been reversed"):
        client.v1.payouts.reverse(made.id, None, of(account))
    own = payout(client)
    with pytest.raises(stripe.InvalidRequestError, match="connected accounts"):
        client.v1.payouts.reverse(own.id)


def test_only_metadata_can_be_updated(sandbox, client):
    charge(client)
    made = payout(client, metadata={"a": "1"})
    assert client.v1.payouts.update(made.id, {"metadata": {"b": "2"}}).metadata.to_dict() == {"a": "1", "b": "2"}
    (updated,) = [event for event in events(client) if event.type == "payout.updated"]
    assert updated.data.previous_attributes.to_dict() == {"metadata": {"b": None}}
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        client.v1.payouts.update(made.id, {"amount": 5})


def test_payouts_are_filtered_by_status_destination_and_arrival(sandbox, client):
    charge(client, 9000)
    first, second = payout(client), payout(client)
    client.v1.payouts.cancel(first.id)

    def ids(**filters):
        return [found.id for found in client.v1.payouts.list(filters).data]

    assert ids() == [second.id, first.id]
    assert ids(status="canceled") == [first.id]
    assert ids(destination=second.destination) == [second.id, first.id]
    assert ids(destination="ba_other") == []
    assert ids(arrival_date={"gte": second.arrival_date}, limit=1) == [second.id]
    assert ids(arrival_date={"gt": second.arrival_date}) == []
    assert ids(arrival_date=second.arrival_date, status="pending") == [second.id]


def test_a_daily_schedule_pays_out_all_funds_automatically_and_reconciles_them(sandbox, client):
    account = paid_account(sandbox, client, interval="daily")
    sandbox.advance(DAY)
    (made,) = client.v1.payouts.list(None, of(account)).data
    assert (made.amount, made.automatic, made.status) == (5000, True, "pending")
    assert (made.reconciliation_status, made.description) == ("in_progress", "STRIPE PAYOUT")
    assert funds(client, account) == (0, 0)
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        client.v1.payouts.cancel(made.id, None, of(account))
    paid_out = client.v1.balance_transactions.list({"payout": made.id}, of(account)).data
    assert [movement.type for movement in paid_out] == ["payout", "payment"]
    sandbox.advance(2 * DAY)
    assert client.v1.payouts.retrieve(made.id, None, of(account)).reconciliation_status == "completed"
    assert payout_events(client, account) == [
        "payout.created",
        "payout.updated",
        "payout.paid",
        "payout.reconciliation_completed",
    ]
    sandbox.advance(5 * DAY)
    assert len(client.v1.payouts.list(None, of(account)).data) == 1


def weekday(moment):
    return (moment // DAY + 3) % 7


def test_weekly_and_monthly_schedules_pay_out_on_their_day(sandbox, client):
    weekly = {"payouts": {"schedule": {"interval": "weekly", "weekly_anchor": "wednesday"}}}
    monthly = {"payouts": {"schedule": {"interval": "monthly", "monthly_anchor": 31}}}
    accounts = [paid_account(sandbox, client, 1000, settings=settings) for settings in (weekly, monthly)]
    sandbox.advance(35 * DAY)
    by_week, by_month = (client.v1.payouts.list(None, of(account)).data for account in accounts)
    assert weekday(by_week[0].created) == 2
    assert len(by_week) == len(by_month) == 1
    tomorrow = by_month[0].created + DAY
    assert _day_of_month(tomorrow) == 1


def _day_of_month(moment):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).day


def test_funds_are_paid_out_after_a_change_from_manual_to_daily(sandbox, client):
    account = paid_account(sandbox, client, interval="manual")
    sandbox.advance(3 * DAY)
    assert client.v1.payouts.list(None, of(account)).data == []
    daily = {"payments": {"payouts": {"schedule": {"interval": "daily"}}}}
    settings = client.v1.balance_settings.update(daily, of(account))
    assert settings.payments.payouts.schedule.interval == "daily"
    assert settings.payments.payouts.status == "enabled"
    sandbox.advance(DAY)
    assert [made.amount for made in client.v1.payouts.list(None, of(account)).data] == [5000]


def test_funds_of_a_failed_automatic_payout_are_paid_out_to_a_new_bank_account(sandbox, client):
    account = paid_account(sandbox, client, number="000111111116", interval="daily")
    sandbox.advance(4 * DAY)
    (failed,) = client.v1.payouts.list(None, of(account)).data
    assert (failed.status, failed.reconciliation_status) == ("failed", "in_progress")
    client.v1.accounts.external_accounts.create(account.id, bank() | {"default_for_currency": True})
    sandbox.advance(DAY)
    again = client.v1.payouts.list({"limit": 1}, of(account)).data[0]
    assert (again.amount, again.status) == (5000, "pending")


def test_the_platforms_payouts_are_manual_and_its_settings_can_be_changed(sandbox, client):
    charge(client, 2000)
    sandbox.advance(7 * DAY)
    assert client.v1.payouts.list().data == []
    parameters = {"payouts": {"schedule": {"interval": "daily"}}, "settlement_timing": {"delay_days_override": 5}}
    settings = client.v1.balance_settings.update({"payments": parameters})
    assert settings.payments.settlement_timing.delay_days == 5
    sandbox.advance(DAY)
    assert [made.amount for made in client.v1.payouts.list().data] == [1912]
    pending = charge(client, 2000, method="pm_card_visa", expand=["latest_charge.balance_transaction"])
    movement = pending.latest_charge.balance_transaction
    assert movement.available_on // DAY - movement.created // DAY == 5


def test_topups_succeed_later_and_can_be_canceled_until_then(sandbox, client):
    made = client.v1.topups.create({"amount": 3000, "currency": "usd", "description": "Float", "metadata": {"a": "b"}})
    assert (made.status, made.balance_transaction) == ("pending", None)
    gone = client.v1.topups.create({"amount": 100, "currency": "usd"})
    assert client.v1.topups.cancel(gone.id).status == "canceled"
    sandbox.advance(10)
    arrived = client.v1.topups.retrieve(made.id, {"expand": ["balance_transaction"]})
    assert (arrived.status, arrived.balance_transaction.type, funds(client)) == ("succeeded", "topup", (3000, 0))
    assert types(client) == ["topup.created", "topup.created", "topup.canceled", "topup.succeeded"]
    assert [t.id for t in client.v1.topups.list({"status": "succeeded"}).data] == [made.id]
    assert [t.id for t in client.v1.topups.list({"amount": {"lt": 1000}}).data] == [gone.id]
    assert client.v1.topups.update(made.id, {"description": "Tide"}).description == "Tide"
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.topups.cancel(made.id)
