"""The calls to Stripe about connected accounts, transfers and payouts, in our own types and errors.

As with `payments.gateway`, never called inside a transaction or under a lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from money import Money
from payments.models import ConnectedAccount
from payments.own_account import is_key_known_as_ours
from payments.payouts.stripe_objects import (
    AccountState,
    StripeBankPayout,
    StripeReversal,
    StripeTransfer,
    read_account_v1,
    read_account_v2,
    read_available,
    read_bank_payout,
    read_reversal,
    read_transfer,
)
from payments.stripe_api import NoSuchObject, StripeMisconfigured, StripeRefused, client, translated_errors
from payments.stripe_objects import as_text, id_of

# What is needed of an account of Accounts v2; nothing of this is sent unless it is named.
_INCLUDED_V2 = ["configuration.recipient", "identity", "requirements"]
# Stripe's code for an account that this key may not, or no longer, see.
_ACCOUNT_INVALID = "account_invalid"


def api_of_new_accounts() -> ConnectedAccount.Api:
    """The interface that new accounts are created with."""
    return ConnectedAccount.Api(settings.STRIPE_CONNECT_ACCOUNTS)


def create_connected_account(*, country: str, email: str, teacher_reference: str, idempotency_key: str) -> AccountState:
    """Create an account for a teacher, with the interface that the settings name. Raises StripeUnreachable or StripeRefused.

    The platform pays Stripe's fees and bears losses, Stripe collects the requirements, and the teacher gets the small
    dashboard: with Accounts v1 this is an Express account, with v2 a recipient.
    """
    metadata = {"teacher": teacher_reference}
    options: Any = {"idempotency_key": idempotency_key}
    if api_of_new_accounts() == ConnectedAccount.Api.V2:
        request: Any = {
            "contact_email": email,
            "dashboard": "express",
            "identity": {"country": country},
            "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            "include": _INCLUDED_V2,
            "metadata": metadata,
        }
        with translated_errors():
            created: Any = client().v2.core.accounts.create(request, options)
        return read_account_v2(created.to_dict())
    request = {
        "type": "express",
        "country": country,
        "email": email,
        "capabilities": {"transfers": {"requested": True}},
        "metadata": metadata,
    }
    with translated_errors():
        created = client().v1.accounts.create(request, options)
    return read_account_v1(created.to_dict())


def create_onboarding_link(account: ConnectedAccount, *, return_url: str, refresh_url: str) -> str:
    """The address of Stripe's form for the account's owner; works once, for minutes. Raises as above."""
    addresses = {"return_url": return_url, "refresh_url": refresh_url}
    if account.api == ConnectedAccount.Api.V2:
        onboarding = {"configurations": ["recipient"], **addresses}
        request: Any = {
            "account": account.stripe_account_id,
            "use_case": {"type": "account_onboarding", "account_onboarding": onboarding},
        }
        with translated_errors():
            link: Any = client().v2.core.account_links.create(request)
        return as_text(link.url)
    request = {"account": account.stripe_account_id, "type": "account_onboarding", **addresses}
    with translated_errors():
        link = client().v1.account_links.create(request)
    return as_text(link.url)


def retrieve_account(account: ConnectedAccount) -> AccountState:
    """The current state of an account; closed if it was deleted or disconnected. Raises StripeUnreachable or StripeRefused.

    To a key of another platform every account looks closed, so the key is checked first: StripeMisconfigured.
    """
    account_id = account.stripe_account_id
    try:
        if account.api == ConnectedAccount.Api.V2:
            included: Any = {"include": _INCLUDED_V2}
            with translated_errors():
                fresh: Any = client().v2.core.accounts.retrieve(account_id, included)
            return read_account_v2(fresh.to_dict())
        with translated_errors():
            fresh = client().v1.accounts.retrieve(account_id)
        return read_account_v1(fresh.to_dict())
    except StripeRefused as refusal:
        if isinstance(refusal, NoSuchObject) or refusal.code == _ACCOUNT_INVALID:
            if not is_key_known_as_ours():
                raise StripeMisconfigured(
                    f"{refusal} Set STRIPE_ACCOUNT_ID, so that the key can be checked."
                ) from refusal
            return read_account_v1({"id": account_id, "deleted": True})
        raise


def retrieve_available_balance() -> Mapping[str, Money]:
    """The platform's balance that can be transferred now, per currency. Raises StripeUnreachable or StripeRefused."""
    with translated_errors():
        return read_available(client().v1.balance.retrieve().to_dict())


def create_transfer(
    *, amount: Money, destination_id: str, payout_reference: str, idempotency_key: str
) -> StripeTransfer:
    """Transfer from the platform's balance to a connected account. Raises StripeUnreachable or StripeRefused.

    Without `source_transaction`: a payout is the sum of many sales less refunds, so no single charge pays it.
    """
    params: Any = {
        "amount": amount.minor,
        "currency": amount.currency.lower(),
        "destination": destination_id,
        "transfer_group": _group_of(payout_reference),
        "metadata": {"payout": payout_reference},
        "expand": ["balance_transaction"],
    }
    with translated_errors():
        transfer = client().v1.transfers.create(params, {"idempotency_key": idempotency_key})
    return read_transfer(transfer.to_dict())


def find_transfer(*, payout_reference: str) -> StripeTransfer | None:
    """Search for the transfer of a payout, before one is created. Raises StripeUnreachable or StripeRefused."""
    params: Any = {"transfer_group": _group_of(payout_reference), "limit": 100}
    with translated_errors():
        found = client().v1.transfers.list(params)
        ids = [
            transfer.id
            for transfer in found.auto_paging_iter()
            if (transfer.to_dict().get("metadata") or {}).get("payout") == payout_reference
        ]
    # The oldest, which is the one that was recorded, if there were two.
    return retrieve_transfer(ids[-1]) if ids else None


def list_transfer_ids(*, destination_id: str, created_from: datetime) -> list[str]:
    """The ids of the transfers to a connected account since a moment that name a payout. Raises as above."""
    params: Any = {"destination": destination_id, "created": {"gte": int(created_from.timestamp())}, "limit": 100}
    with translated_errors():
        listed = client().v1.transfers.list(params)
        return [
            transfer.id
            for transfer in listed.auto_paging_iter()
            if (transfer.to_dict().get("metadata") or {}).get("payout")
        ]


def retrieve_transfer(transfer_id: str) -> StripeTransfer:
    """The current state of a transfer with all its reversals. Raises StripeUnreachable or StripeRefused."""
    params: Any = {"expand": ["balance_transaction"]}
    page: Any = {"limit": 100, "expand": ["data.balance_transaction"]}
    with translated_errors():
        transfer = client().v1.transfers.retrieve(transfer_id, params).to_dict()
        reversals: list[Mapping[str, Any]] = []
        if transfer["amount_reversed"]:
            listed = client().v1.transfers.reversals.list(transfer_id, page)
            reversals = [reversal.to_dict() for reversal in listed.auto_paging_iter()]
    return read_transfer(transfer, reversals)


def create_reversal(*, transfer_id: str, amount: Money, payout_reference: str, idempotency_key: str) -> StripeReversal:
    """Take back part of a transfer. Raises StripeUnreachable or StripeRefused."""
    params: Any = {
        "amount": amount.minor,
        "metadata": {"payout": payout_reference, "reversal": idempotency_key},
        "expand": ["balance_transaction"],
    }
    with translated_errors():
        reversal = client().v1.transfers.reversals.create(transfer_id, params, {"idempotency_key": idempotency_key})
    return read_reversal(reversal.to_dict())


def retrieve_bank_payout(*, account_id: str, payout_id: str) -> StripeBankPayout:
    """The current state of a connected account's payout to its bank, and what it pays out. Raises as above.

    Stripe lists the contents of automatic payouts only.
    """
    options: Any = {"stripe_account": account_id}
    contents: Any = {"payout": payout_id, "type": "payment", "limit": 100}
    with translated_errors():
        payout = client().v1.payouts.retrieve(payout_id, {}, options).to_dict()
        payments: frozenset[str] = frozenset()
        if payout["automatic"]:
            listed = client().v1.balance_transactions.list(contents, options)
            payments = frozenset(id_of(movement.to_dict().get("source")) for movement in listed.auto_paging_iter())
    return read_bank_payout(payout, payment_ids=payments)


def list_bank_payout_ids(*, account_id: str, created_from: datetime) -> list[str]:
    """The ids of a connected account's payouts to its bank since a moment. Raises as above."""
    params: Any = {"created": {"gte": int(created_from.timestamp())}, "limit": 100}
    with translated_errors():
        listed = client().v1.payouts.list(params, {"stripe_account": account_id})
        return [payout.id for payout in listed.auto_paging_iter()]


def _group_of(payout_reference: str) -> str:
    return f"payout_{payout_reference}"
