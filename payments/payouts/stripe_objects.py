"""Our view of Stripe's accounts, transfers and payouts, from answers. Strict about what Stripe always sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from money import Money, is_currency
from payments.stripe_objects import as_flag, as_text, id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The fields we use of a connected account, of either kind."""

    id: str
    country: str
    are_details_submitted: bool
    can_receive_transfers: bool
    can_pay_out: bool
    disabled_reason: str
    requirements_due: tuple[str, ...]
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeReversal:
    """One reversal of a transfer. `arrived` is what came into the platform's balance."""

    id: str
    amount: Money
    arrived: Money
    reversal_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeTransfer:
    """The fields we use of a transfer. `payout_reference` is ours, from its metadata; `cost` is what Stripe charged."""

    id: str
    amount: Money
    cost: Money
    destination_id: str
    destination_payment_id: str
    payout_reference: str
    created_at: datetime
    reversals: tuple[StripeReversal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeBankPayout:
    """The fields we use of a payout from a connected account to its bank, and the payments that it pays out."""

    id: str
    amount: Money
    status: str
    is_automatic: bool
    arrives_on: date | None
    failure_message: str
    payment_ids: frozenset[str] = frozenset()


def read_account_v1(data: Mapping[str, Any]) -> AccountState:
    """Read an account of Accounts v1. Raises KeyError, TypeError or ValueError."""
    if data.get("deleted"):
        return _closed(as_text(data["id"]))
    requirements = data.get("requirements") or {}
    capabilities = data.get("capabilities") or {}
    return AccountState(
        id=as_text(data["id"]),
        country=str(data.get("country") or ""),
        are_details_submitted=as_flag(data["details_submitted"]),
        can_receive_transfers=capabilities.get("transfers") == "active",
        can_pay_out=as_flag(data["payouts_enabled"]),
        disabled_reason=str(requirements.get("disabled_reason") or ""),
        requirements_due=tuple(str(name) for name in requirements.get("currently_due") or ()),
    )


def read_account_v2(data: Mapping[str, Any]) -> AccountState:
    """Read an account of Accounts v2 with its recipient configuration. Raises KeyError, TypeError or ValueError.

    An entry of its requirements waits for the owner or for Stripe, now or eventually. Due is what the owner must do now.
    """
    if data.get("closed"):
        return _closed(as_text(data["id"]))
    configuration = data.get("configuration") or {}
    capabilities = ((configuration.get("recipient") or {}).get("capabilities") or {}).get("stripe_balance") or {}
    transfers = capabilities.get("stripe_transfers") or {}
    payouts = capabilities.get("payouts") or {}
    entries = (data.get("requirements") or {}).get("entries") or ()
    due = tuple(str(entry["description"]) for entry in entries if _is_due(entry))
    reasons = [str(detail["code"]) for detail in (transfers.get("status_details") or ())]
    return AccountState(
        id=as_text(data["id"]),
        country=str((data.get("identity") or {}).get("country") or "").upper(),
        are_details_submitted=not due,
        can_receive_transfers=transfers.get("status") == "active",
        can_pay_out=payouts.get("status") == "active",
        disabled_reason=reasons[0] if reasons else "",
        requirements_due=due,
    )


def _is_due(entry: Mapping[str, Any]) -> bool:
    deadline = (entry.get("minimum_deadline") or {}).get("status")
    return entry.get("awaiting_action_from") == "user" and deadline != "eventually_due"


def _closed(account_id: str) -> AccountState:
    return AccountState(
        id=account_id,
        country="",
        are_details_submitted=True,
        can_receive_transfers=False,
        can_pay_out=False,
        disabled_reason="closed",
        requirements_due=(),
        is_closed=True,
    )


def read_transfer(data: Mapping[str, Any], reversals: list[Mapping[str, Any]] | None = None) -> StripeTransfer:
    """Read a transfer, with its reversals if they were listed separately. Raises KeyError, TypeError or ValueError."""
    listed = data["reversals"]["data"] if reversals is None else reversals
    currency = as_text(data["currency"]).upper()
    metadata = data.get("metadata") or {}
    movement = data.get("balance_transaction")
    cost = Money(movement["fee"], as_text(movement["currency"]).upper()) if isinstance(movement, Mapping) else None
    return StripeTransfer(
        id=as_text(data["id"]),
        amount=Money(data["amount"], currency),
        cost=cost if cost and cost.currency == currency else Money.zero(currency),
        destination_id=id_of(data.get("destination")),
        destination_payment_id=id_of(data.get("destination_payment")),
        payout_reference=str(metadata.get("payout") or ""),
        created_at=datetime.fromtimestamp(int(data["created"]), tz=UTC),
        reversals=tuple(read_reversal(one) for one in listed),
    )


def read_reversal(data: Mapping[str, Any]) -> StripeReversal:
    """Read a reversal. What arrived is known if its balance transaction was expanded. Raises as read_transfer does."""
    amount = Money(data["amount"], as_text(data["currency"]).upper())
    movement = data.get("balance_transaction")
    arrived = amount
    if isinstance(movement, Mapping):
        arrived = Money(movement["amount"], as_text(movement["currency"]).upper())
    return StripeReversal(
        id=as_text(data["id"]),
        amount=amount,
        arrived=arrived,
        reversal_key=str((data.get("metadata") or {}).get("reversal") or ""),
    )


def read_bank_payout(data: Mapping[str, Any], *, payment_ids: frozenset[str] = frozenset()) -> StripeBankPayout:
    """Read a payout to a bank. Raises KeyError, TypeError or ValueError."""
    arrival = data.get("arrival_date")
    return StripeBankPayout(
        id=as_text(data["id"]),
        amount=Money(data["amount"], as_text(data["currency"]).upper()),
        status=as_text(data["status"]),
        is_automatic=as_flag(data["automatic"]),
        arrives_on=datetime.fromtimestamp(int(arrival), tz=UTC).date() if arrival is not None else None,
        failure_message=str(data.get("failure_message") or data.get("failure_code") or ""),
        payment_ids=payment_ids,
    )


def read_available(data: Mapping[str, Any]) -> Mapping[str, Money]:
    """What a balance has available, per currency. Raises KeyError or TypeError.

    Stripe also keeps balances in units that are no currencies, such as stablecoins. Nothing is sold or paid in them.
    """
    found: dict[str, Money] = {}
    for part in data["available"]:
        currency = as_text(part["currency"]).upper()
        if is_currency(currency):
            found[currency] = found.get(currency, Money.zero(currency)) + Money(part["amount"], currency)
    return found
