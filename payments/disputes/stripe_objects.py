"""Our view of Stripe's disputes and early fraud warnings. Strict about the fields that Stripe always sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from money import Money
from payments.stripe_objects import as_flag, as_text, id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeDisputeMovement:
    """A balance transaction of a dispute: negative if Stripe took the money, positive if it gave it back.

    Amount and fee are in the currency the account is paid out in. `exchange_rate` converts the payment's currency into
    that one, in major units; None if they are the same, or if Stripe names none.
    """

    id: str
    amount: Money
    fee: Money
    exchange_rate: Decimal | None
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeDispute:
    """The fields we use of a dispute. Strings are empty if Stripe does not report them.

    `payment_reference` is in the metadata of its payment intent, and known only if that was expanded. `answer_key` is
    our key in its own metadata: the last answer that arrived.
    """

    id: str
    status: str
    reason: str
    amount: Money
    charge_id: str
    payment_intent_id: str
    payment_reference: str
    case_type: str
    is_charge_refundable: bool
    due_by: datetime | None
    is_past_due: bool
    has_evidence: bool
    submission_count: int
    opened_at: datetime
    answer_key: str
    movements: Sequence[StripeDisputeMovement]


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeFraudWarning:
    """The fields we use of an early fraud warning."""

    id: str
    charge_id: str
    payment_intent_id: str
    payment_reference: str
    fraud_type: str
    is_actionable: bool
    warned_at: datetime


def read_dispute(data: Mapping[str, Any]) -> StripeDispute:
    """Read a dispute from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is missing or wrong."""
    details = _part_of(data, "evidence_details")
    intent = data.get("payment_intent")
    return StripeDispute(
        id=as_text(data["id"]),
        status=as_text(data["status"]),
        reason=as_text(data["reason"]),
        amount=Money(data["amount"], as_text(data["currency"]).upper()),
        charge_id=id_of(data["charge"]),
        payment_intent_id=id_of(intent),
        payment_reference=_reference_in(intent),
        case_type=_case_type(data),
        is_charge_refundable=as_flag(data["is_charge_refundable"]),
        due_by=_moment_or_none(details.get("due_by")),
        is_past_due=bool(details.get("past_due")),
        has_evidence=bool(details.get("has_evidence")),
        submission_count=int(details.get("submission_count") or 0),
        opened_at=_moment(data["created"]),
        answer_key=str(_part_of(data, "metadata").get("answer") or ""),
        movements=[_read_movement(each) for each in data["balance_transactions"]],
    )


def read_fraud_warning(data: Mapping[str, Any]) -> StripeFraudWarning:
    """Read an early fraud warning. Raises KeyError, TypeError or ValueError if a field is missing or wrong."""
    intent = data.get("payment_intent")
    return StripeFraudWarning(
        id=as_text(data["id"]),
        charge_id=id_of(data["charge"]),
        payment_intent_id=id_of(intent),
        payment_reference=_reference_in(intent),
        fraud_type=as_text(data["fraud_type"]),
        is_actionable=as_flag(data["actionable"]),
        warned_at=_moment(data["created"]),
    )


def _read_movement(data: Mapping[str, Any]) -> StripeDisputeMovement:
    currency = as_text(data["currency"]).upper()
    rate = data.get("exchange_rate")
    return StripeDisputeMovement(
        id=as_text(data["id"]),
        amount=Money(data["amount"], currency),
        fee=Money(data["fee"], currency),
        # As text first: the shortest decimal that reads back as the same number, not its binary expansion.
        exchange_rate=Decimal(str(rate)) if rate else None,
        happened_at=_moment(data["created"]),
    )


def _case_type(data: Mapping[str, Any]) -> str:
    method = _part_of(data, "payment_method_details")
    return str(_part_of(method, "card").get("case_type") or "")


def _reference_in(intent: Any) -> str:
    return str(_part_of(intent, "metadata").get("payment") or "") if isinstance(intent, Mapping) else ""


def _part_of(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name) or {}
    if not isinstance(part, Mapping):
        raise TypeError(f"an object expected as {name}")
    return part


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)


def _moment_or_none(seconds: Any) -> datetime | None:
    return _moment(seconds) if seconds else None
