"""Stripe's balance transactions as the lines of a bank statement. Pure; a type that we do not know never raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from payments.reconciliation.kinds import DifferenceKind
from payments.stripe_objects import as_text


class Topic(StrEnum):
    """What a transaction is about; the first part of its match key."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    TRANSFER = "transfer"
    PLATFORM_PAYOUT = "payout"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePart:
    """One part of Stripe's fee, in minor units of the transaction's currency."""

    kind: str
    description: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What our metadata on the source of a transaction says. Each text is empty if it says nothing."""

    payment: str = ""
    refund: str = ""
    payout: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One balance transaction; amounts in minor units, positive if the balance grows."""

    id: str
    type: str
    category: str
    currency: str
    amount_minor: int
    fee_minor: int
    created_at: datetime
    available_at: datetime
    # Transactions with the same key are compared together: a refund and its failure, a dispute and its end.
    key: str
    source: str = ""
    # The payment intent behind the source; of a refund, that of the refunded charge.
    payment_intent: str = ""
    source_currency: str = ""
    source_status: str = ""
    description: str = ""
    fee_parts: tuple[FeePart, ...] = ()
    claim: Claim = Claim()

    @property
    def net_minor(self) -> int:
        """By how much the balance changed."""
        return self.amount_minor - self.fee_minor

    @property
    def topic(self) -> Topic:
        return topic_of(self.key)

    @property
    def object_id(self) -> str:
        """Stripe's id of the object that the transaction is about."""
        return self.key.partition(":")[2]


_TOPICS: Final = {topic.value: topic for topic in Topic}


def topic_of(key: str) -> Topic:
    """The topic in a match key."""
    name = key.partition(":")[0]
    return _TOPICS.get(name, Topic.OTHER)


def key_of(topic: Topic, object_id: str) -> str:
    """The key under which both sides of a transaction meet. A charge has the id of its payment intent."""
    return f"{topic}:{object_id}"


# By what each object at Stripe calls itself, and by the first letters of its id where only that is sent.
_TOPIC_OF_OBJECT: Final = {
    "charge": Topic.CHARGE,
    "refund": Topic.REFUND,
    "dispute": Topic.DISPUTE,
    "transfer": Topic.TRANSFER,
    "transfer_reversal": Topic.TRANSFER,
    "payout": Topic.PLATFORM_PAYOUT,
}
_TOPIC_OF_PREFIX: Final = {
    "ch": Topic.CHARGE,
    "py": Topic.CHARGE,
    "re": Topic.REFUND,
    "pyr": Topic.REFUND,
    "du": Topic.DISPUTE,
    "dp": Topic.DISPUTE,
    "tr": Topic.TRANSFER,
    "po": Topic.PLATFORM_PAYOUT,
}
# Their source names a charge, a payout or nothing, but they are movements of their own (docs: "Balance transaction
# types", https://docs.stripe.com/reports/balance-transaction-types).
OWN_TYPES: Final[Mapping[str, DifferenceKind]] = {
    "reserve_transaction": DifferenceKind.RESERVE,
    "reserved_funds": DifferenceKind.RESERVE,
    "reserve_hold": DifferenceKind.RESERVE,
    "reserve_release": DifferenceKind.RESERVE,
    "payment_network_reserve_hold": DifferenceKind.RESERVE,
    "payment_network_reserve_release": DifferenceKind.RESERVE,
    "payout_minimum_balance_hold": DifferenceKind.RESERVE,
    "payout_minimum_balance_release": DifferenceKind.RESERVE,
    "topup": DifferenceKind.PREFUNDING,
    "topup_reversal": DifferenceKind.PREFUNDING,
    "advance": DifferenceKind.ADVANCE,
    "advance_funding": DifferenceKind.ADVANCE,
    "anticipation_repayment": DifferenceKind.ADVANCE,
    "stripe_fee": DifferenceKind.STRIPE_FEE,
    "stripe_fx_fee": DifferenceKind.STRIPE_FEE,
    "tax_fee": DifferenceKind.STRIPE_FEE,
}
# Adjustments say what they are only by their category (docs: "Reporting categories").
OWN_CATEGORIES: Final[Mapping[str, DifferenceKind]] = {
    "risk_reserved_funds": DifferenceKind.RESERVE,
    "connect_reserved_funds": DifferenceKind.RESERVE,
    "topup": DifferenceKind.PREFUNDING,
    "topup_reversal": DifferenceKind.PREFUNDING,
    "advance": DifferenceKind.ADVANCE,
    "advance_funding": DifferenceKind.ADVANCE,
    "anticipation_repayment": DifferenceKind.ADVANCE,
    "financing_paydown": DifferenceKind.ADVANCE,
    "financing_paydown_reversal": DifferenceKind.ADVANCE,
    "fee": DifferenceKind.STRIPE_FEE,
    "tax": DifferenceKind.STRIPE_FEE,
}
_INSTANT = "instant payout"


def own_kind_of(movement: Movement) -> DifferenceKind | None:
    """The kind of a movement that only Stripe makes; None if it belongs to an object of ours or is unknown."""
    kind = OWN_TYPES.get(movement.type) or OWN_CATEGORIES.get(movement.category)
    if kind == DifferenceKind.STRIPE_FEE and _INSTANT in movement.description.lower():
        return DifferenceKind.INSTANT_PAYOUT_FEE
    return kind


def read_movement(data: Mapping[str, Any]) -> Movement:
    """Read a balance transaction from Stripe's JSON, with its source expanded or not.

    Raises KeyError, TypeError or ValueError if an amount, a time or the id is missing. Any type is accepted.
    """
    source = data.get("source")
    facts: Mapping[str, Any] = source if isinstance(source, Mapping) else {}
    source_id = _text(facts.get("id")) if facts else _text(source)
    return Movement(
        id=as_text(data["id"]),
        type=_text(data.get("type")),
        category=_text(data.get("reporting_category")),
        currency=as_text(data["currency"]).upper(),
        amount_minor=int(data["amount"]),
        fee_minor=int(data["fee"]),
        created_at=_moment(data["created"]),
        available_at=_moment(data["available_on"]),
        key=_key(data, facts, source_id),
        source=source_id,
        payment_intent=_id(facts.get("payment_intent")),
        source_currency=_text(facts.get("currency")).upper(),
        source_status=_text(facts.get("status")),
        description=_text(data.get("description")),
        fee_parts=_fee_parts(data.get("fee_details")),
        claim=_claim(facts.get("metadata")),
    )


def _key(data: Mapping[str, Any], facts: Mapping[str, Any], source_id: str) -> str:
    is_own = data.get("type") in OWN_TYPES or data.get("reporting_category") in OWN_CATEGORIES
    topic = None if is_own else _topic(facts, source_id)
    if topic is None:
        return key_of(Topic.OTHER, as_text(data["id"]))
    if topic == Topic.CHARGE:
        return key_of(topic, _id(facts.get("payment_intent")) or source_id)
    if facts.get("object") == "transfer_reversal":
        return key_of(topic, _id(facts.get("transfer")) or source_id)
    return key_of(topic, source_id)


def _topic(facts: Mapping[str, Any], source_id: str) -> Topic | None:
    by_object = _TOPIC_OF_OBJECT.get(_text(facts.get("object")))
    return by_object or _TOPIC_OF_PREFIX.get(source_id.partition("_")[0])


def _claim(metadata: object) -> Claim:
    if not isinstance(metadata, Mapping):
        return Claim()
    return Claim(
        payment=_text(metadata.get("payment")),
        refund=_text(metadata.get("refund")),
        payout=_text(metadata.get("payout")),
    )


def _fee_parts(details: object) -> tuple[FeePart, ...]:
    if not isinstance(details, list):
        return ()
    return tuple(
        FeePart(
            kind=_text(part.get("type")),
            description=_text(part.get("description")),
            amount_minor=int(part.get("amount") or 0),
        )
        for part in details
        if isinstance(part, Mapping)
    )


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)


def _id(value: object) -> str:
    return _text(value.get("id")) if isinstance(value, Mapping) else _text(value)


def _text(value: object) -> str:
    """A text that may be missing; empty for anything else."""
    return value if isinstance(value, str) else ""
