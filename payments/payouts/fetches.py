"""Fetch the current state of a transfer, an account or a bank payout. Call these functions outside transactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from payments.models import ConnectedAccount
from payments.payouts import gateway
from payments.payouts.stripe_objects import AccountState, StripeBankPayout, StripeTransfer
from payments.stripe_objects import as_text
from payments.webhook.fetches import reading

Payload = Mapping[str, Any]


class FetchedAccount(NamedTuple):
    """An account's state, and when Stripe was asked for it."""

    state: AccountState
    as_of: datetime


class FetchedBankPayout(NamedTuple):
    """A bank payout's state, its account, and when Stripe was asked for it."""

    account: ConnectedAccount
    state: StripeBankPayout
    as_of: datetime


def fetch_transfer(payload: Payload) -> StripeTransfer:
    """The current state of a transfer. Raises Unreadable, StripeUnreachable or StripeRefused."""
    with reading():
        return gateway.retrieve_transfer(as_text(payload["id"]))


def fetch_account_state(account_id: str, _payload: Payload) -> FetchedAccount:
    """The current state of a connected account. Raises as fetch_transfer does."""
    account, as_of = ConnectedAccount.objects.get(stripe_account_id=account_id), timezone.now()
    with reading():
        return FetchedAccount(gateway.retrieve_account(account), as_of)


def fetch_bank_payout(account_id: str, payload: Payload) -> FetchedBankPayout:
    """The current state of a connected account's payout to its bank. Raises as fetch_transfer does."""
    account, as_of = ConnectedAccount.objects.get(stripe_account_id=account_id), timezone.now()
    with reading():
        state = gateway.retrieve_bank_payout(account_id=account_id, payout_id=as_text(payload["id"]))
    return FetchedBankPayout(account, state, as_of)
