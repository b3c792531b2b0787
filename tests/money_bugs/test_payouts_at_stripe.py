"""Payouts whose trap lies between Lectern and Stripe: PO-04, PO-05 and PO-07. The sandbox pays out in dollars."""

import pytest

from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from payments.models import ConnectedAccount, PayoutTransfer
from payments.payouts.accounts import refresh_account, replace_account
from payments.tests.payout_factories import fill_in, fund, onboarded, perform, transfers_at
from tests.money_bugs.world import Refused


@pytest.fixture
def stripe(lectern, stripe_sandbox):
    """The sandbox with enough money in the platform's balance, and the account of teacher A there."""
    fund(stripe_sandbox, 100_000)
    onboarded(stripe_sandbox, lectern.teacher("A"))
    return stripe_sandbox


def works():
    """A worker sends what is due, delays included."""
    PayoutTransfer.objects.filter(state="waiting").update(run_after="2020-01-01T00:00:00Z")
    perform(PayoutTransfer)


def available(lectern):
    return balance_of(AccountKind.TEACHER_AVAILABLE, "USD", teacher_id=lectern.teacher("A").pk)


def test_po_04_money_that_was_won_back_goes_to_the_account_of_today(lectern, stripe):
    """antiwork/gumroad#650, the chargeback: the won money went to the closed account, and payouts failed."""
    sale = lectern.sell("133.81", currency="USD")
    sale.is_earned()
    dispute = sale.dispute()
    with pytest.raises(Refused):
        lectern.pay_out("A", currency="USD")
    old = ConnectedAccount.objects.get()
    pages = {"return_url": "http://site/return", "refresh_url": "http://site/renew"}
    fill_in(stripe, replace_account(lectern.teacher("A"), country="GB", **pages))
    stripe.switch("clock", advance=10)
    dispute.is_won()
    new = ConnectedAccount.objects.get(replaced_at=None)
    assert new.pk != old.pk
    refresh_account(new)
    payout = lectern.pay_out("A", currency="USD")
    payout.shows(amount="120.43")
    works()
    (transfer,) = transfers_at(stripe, payout)
    assert (transfer["amount"], transfer["destination"]) == (12043, new.stripe_account_id)
    payout.shows(state="paid")
    lectern.shows(currency="USD", A="0.00", fees="13.38", costs="15.00")


def test_po_05_a_payout_whose_answer_was_lost_is_looked_up(lectern, stripe):
    """spree/spree#14500: any error released the earnings, and after a day the same key paid them a second time."""
    lectern.sell("100.00", currency="USD").is_earned()
    payout = lectern.pay_out("A", currency="USD")
    stripe.fault("drop_reply", path="/v1/transfers", count=3)
    works()
    payout.shows(state="unknown")
    assert available(lectern) == Money(0, "USD")
    lectern.shows(currency="USD", A="90.00")
    with pytest.raises(Refused):
        lectern.pay_out("A", currency="USD")
    stripe.switch("clock", advance=25 * 3600)
    works()
    assert [transfer["amount"] for transfer in transfers_at(stripe, payout)] == [9000]
    payout.shows(state="paid")
    lectern.shows(currency="USD", A="0.00", paid_out="90.00")


def test_po_07_a_repeat_after_a_refusal_pays_once_and_takes_once(lectern, stripe):
    """elizaOS/eliza#11022: the repeat found its debit already made, although that had been put back."""
    lectern.sell("100.00", currency="USD").is_earned()
    payout = lectern.pay_out("A", currency="USD")
    stripe.fault("rate_limit", path="/v1/transfers", count=3)
    works()
    assert transfers_at(stripe, payout) == []
    assert available(lectern) == Money(0, "USD")
    works()
    assert [transfer["amount"] for transfer in transfers_at(stripe, payout)] == [9000]
    payout.shows(state="paid")
    lectern.shows(currency="USD", A="0.00", paid_out="90.00")
    assert available(lectern) == Money(0, "USD")
