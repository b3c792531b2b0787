import contextlib
import random
import time

import pytest
import stripe

from sandbox.tests.connected import DAY, bank, charge, enabled, funds, of

DEALINGS = ("pay", "share", "direct", "refund", "transfer", "reverse", "payout", "wait", "fail", "top_up")
METHODS = ("pm_card_visa", "pm_card_bypassPending", "pm_card_refundFail", "pm_card_pendingRefund")


def test_the_balance_is_shown_by_currency_and_becomes_available_later(sandbox, client):
    empty = client.v1.balance.retrieve()
    assert (empty.available[0].amount, empty.available[0].currency, empty.pending[0].amount) == (0, "usd", 0)
    assert empty.connect_reserved[0].amount == 0
    charge(client, 2000)
    charge(client, 2000, currency="eur", method="pm_card_visa")
    balance = client.v1.balance.retrieve()
    assert [(side.currency, side.amount) for side in balance.available] == [("eur", 0), ("usd", 1912)]
    assert [(side.currency, side.amount) for side in balance.pending] == [("eur", 1912), ("usd", 0)]
    sandbox.advance(3 * DAY)
    assert [side.amount for side in client.v1.balance.retrieve().available] == [1912, 1912]


def test_balance_transactions_are_filtered_by_type_source_currency_and_time(sandbox, client):
    paid = charge(client, 2000)
    charge(client, 2000, currency="eur")
    refund = client.v1.refunds.create({"payment_intent": paid.id, "amount": 500})

    def found(**filters):
        return [movement.source for movement in client.v1.balance_transactions.list(filters).data]

    assert found(type="refund") == [refund.id]
    assert found(source=paid.latest_charge) == [paid.latest_charge]
    assert len(found(currency="eur")) == 1
    assert found(payout="po_x") == []
    assert len(found(created={"lte": int(time.time()) + 10})) == 3
    assert found(created={"gt": int(time.time()) + 10}) == []


def test_the_source_of_a_balance_transaction_of_any_kind_is_expanded(sandbox, client):
    account = enabled(sandbox, client)
    paid = charge(client, 9000)
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 500})
    client.v1.transfers.create({"amount": 500, "currency": "usd", "destination": account.id})
    client.v1.payouts.create({"amount": 500, "currency": "usd"})
    client.v1.topups.create({"amount": 500, "currency": "usd"})
    sandbox.advance(10)
    listed = client.v1.balance_transactions.list({"expand": ["data.source"]}).data
    assert [movement.source.object for movement in listed] == ["topup", "payout", "transfer", "refund", "charge"]


class Books:
    """Random transactions between the platform and two accounts, and a check of all balances."""

    def __init__(self, sandbox, client, seed):
        self.sandbox, self.client = sandbox, client
        self.random = random.Random(seed)
        self.accounts = [enabled(sandbox, client) for _ in range(2)]
        self.paid, self.transfers, self.done = [], [], set()
        charge(client, 50_000)

    def step(self):
        name = self.random.choice(DEALINGS)
        # Some transactions are refused in the current state; they must change nothing.
        with contextlib.suppress(stripe.InvalidRequestError):
            getattr(self, name)()
            self.done.add(name)

    def pay(self):
        self.paid.append((charge(self.client, self.amount(), method=self.random.choice(METHODS)), None))

    def share(self):
        amount = self.amount()
        shared = {"transfer_data": {"destination": self.account().id}, "application_fee_amount": amount // 7}
        capture = self.random.choice(("automatic", "automatic_async"))
        self.paid.append((charge(self.client, amount, method="pm_card_visa", capture_method=capture, **shared), None))

    def direct(self):
        account, amount = self.account(), self.amount()
        fee = self.random.choice((0, amount // 5))
        paid = charge(self.client, amount, options=of(account), **({"application_fee_amount": fee} if fee else {}))
        self.paid.append((paid, account))

    def refund(self):
        if not self.paid:
            return
        paid, account = self.random.choice(self.paid)
        parameters = {"payment_intent": paid.id, "amount": self.random.randint(1, paid.amount)}
        is_shared = bool(paid.transfer_data)
        has_fee = bool(paid.application_fee_amount)
        parameters |= {"reverse_transfer": True} if is_shared and self.random.random() < 0.7 else {}
        parameters |= {"refund_application_fee": True} if has_fee and self.random.random() < 0.7 else {}
        self.client.v1.refunds.create(parameters, of(account) if account else None)

    def transfer(self):
        parameters = {"amount": self.amount(), "currency": "usd", "destination": self.account().id}
        self.transfers.append(self.client.v1.transfers.create(parameters))

    def reverse(self):
        if self.transfers:
            made = self.random.choice(self.transfers)
            self.client.v1.transfers.reversals.create(made.id, {"amount": self.random.randint(1, made.amount)})

    def payout(self):
        account = self.account()
        made = self.client.v1.payouts.create({"amount": self.amount(), "currency": "usd"}, of(account))
        if self.random.random() < 0.3:
            self.client.v1.payouts.cancel(made.id, None, of(account))

    def fail(self):
        account = self.account()
        number = self.random.choice(("000111111116", "000123456789"))
        self.client.v1.accounts.external_accounts.create(account.id, bank(number) | {"default_for_currency": True})

    def top_up(self):
        self.client.v1.topups.create({"amount": self.amount(), "currency": "usd"})

    def wait(self):
        self.sandbox.advance(self.random.choice((3, DAY, 3 * DAY)))

    def amount(self):
        return self.random.randint(100, 4000)

    def account(self):
        return self.random.choice(self.accounts)

    def check(self):
        for account in (None, *self.accounts):
            options = of(account) if account else None
            listed = self.client.v1.balance_transactions.list({"limit": 100}, options).auto_paging_iter()
            sums = {"available": 0, "pending": 0}
            for movement in listed:
                assert movement.net == movement.amount - movement.fee
                assert movement.fee == sum(detail.amount for detail in movement.fee_details)
                sums[movement.status] += movement.net
            assert funds(self.client, account) == (sums["available"], sums["pending"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_balance_is_always_the_sum_of_its_transactions(sandbox, client, seed):
    books = Books(sandbox, client, seed)
    for _ in range(60):
        books.step()
    # Run delayed steps first, so that nothing changes between the two reads of a comparison.
    sandbox.advance(10)
    books.check()
    sandbox.advance(10 * DAY)
    books.check()
    assert {"pay", "share", "direct", "refund", "transfer", "payout"} <= books.done
    # Movements between the accounts must add up to zero.
    inner = ("transfer", "transfer_refund", "payment", "payment_refund", "application_fee", "application_fee_refund")
    moved = 0
    for account in (None, *books.accounts):
        options = of(account) if account else None
        listed = client.v1.balance_transactions.list({"limit": 100}, options).auto_paging_iter()
        for movement in listed:
            if movement.type in inner or (movement.description or "").startswith("Application fee refund"):
                moved += movement.amount
            moved -= sum(detail.amount for detail in movement.fee_details if detail.type == "application_fee")
    assert moved == 0


def test_immediately_available_funds_emit_balance_available(sandbox, client):
    by_card = {"payment_method_types": ["card"], "confirm": True}
    client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "payment_method": "pm_card_bypassPending", **by_card}
    )
    assert "balance.available" not in sandbox.event_types()
    sandbox.advance(3)
    emitted = client.v1.events.list({"type": "balance.available"}).data
    assert [event.data.object.available[0].amount for event in emitted] == [1912]
