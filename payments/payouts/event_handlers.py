"""The handlers of Stripe's events about transfers, connected accounts and their payouts to banks."""

from __future__ import annotations

from payments.models import WebhookEvent
from payments.payouts.accounts import record_account
from payments.payouts.bank_payouts import record_bank_payout
from payments.payouts.fetches import FetchedAccount, FetchedBankPayout
from payments.payouts.recording import record_transfer
from payments.payouts.stripe_objects import StripeTransfer


def transfer_changed(event: WebhookEvent, transfer: StripeTransfer) -> str:  # noqa: ARG001  # the signature of event handlers
    """Record a transfer and its reversals, for any of its events. Others' transfers are not ours to record."""
    payout = record_transfer(transfer)
    return "not ours" if payout is None else f"payout {payout.status}"


def account_changed(event: WebhookEvent, fetched: FetchedAccount) -> str:  # noqa: ARG001  # the signature of event handlers
    """Record the state of a teacher's account."""
    return f"account {record_account(fetched.state, as_of=fetched.as_of).state}"


def bank_payout_changed(event: WebhookEvent, fetched: FetchedBankPayout) -> str:  # noqa: ARG001  # the signature of event handlers
    """Record what became of money on its way from a teacher's account to their bank."""
    bank_payout = record_bank_payout(fetched.account, fetched.state, as_of=fetched.as_of)
    return f"bank payout {bank_payout.status}"
