"""Our view of Stripe's objects, from answers and from events. Strict about the fields that Stripe always sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from money import Money
from payments.metadata import OurMetadata


@dataclass(frozen=True, slots=True)
class ComputedTax:
    """The tax that Stripe computed in a line: the sum of its rates in basis points, and the amount in minor units."""

    bps: int
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession:
    """The fields we use of a Checkout Session."""

    id: str
    url: str
    status: str
    payment_status: str
    payment_intent_id: str
    # Known if the session was retrieved with its payment intent expanded.
    intent_status: str
    total: Money
    livemode: bool
    reference: str
    metadata: OurMetadata
    expires_at: datetime
    is_taxed_by_stripe: bool = False
    # By our order line; known if the session was retrieved complete, and Stripe computes its tax.
    taxes: Mapping[int, ComputedTax] | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def is_paid(self) -> bool:
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")

    @property
    def is_refused(self) -> bool:
        """Completed by the student, but their bank refused. The session alone looks as if it were still processing."""
        is_unpaid = self.status == "complete" and self.payment_status == "unpaid"
        return is_unpaid and self.intent_status in ("requires_payment_method", "canceled")

    @property
    def is_processing(self) -> bool:
        """Completed by the student, but the money has not arrived yet (bank debits)."""
        return self.status == "complete" and self.payment_status == "unpaid" and not self.is_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTransaction:
    """The fields we use of a balance transaction: a line of the statement of our money at Stripe.

    Amounts are in the currency in which the account is paid out. `amount` is before the fee, and negative for money that
    leaves; a negative fee is one that Stripe gives back.
    """

    id: str
    type: str
    amount: Money
    fee: Money
    # What the fee consists of, such as "stripe_fee 59, tax 12" in minor units.
    fee_parts: str
    # The object that it belongs to, such as a charge; empty if Stripe names none.
    source_id: str
    created_at: datetime
    available_at: datetime

    @property
    def net(self) -> Money:
        """What the balance changes by."""
        return self.amount - self.fee


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """The fields we use of a charge. The id is empty, and the transaction None, until Stripe reports them."""

    charge_id: str
    balance_transaction: BalanceTransaction | None
    # For receipts: "Visa ending in 4242", and name and address in rows, as far as the bank's page asked for them.
    paid_with: str = ""
    billed_to: str = ""
    billed_country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRefund:
    """The fields we use of a refund. Strings are empty if Stripe does not report them.

    `refund_key` is our key in its metadata. `payment_reference` is in the metadata of its payment intent, and known
    only if that was expanded; so are the balance transactions, of which a refund has one once the money has left, and
    another once it has come back because the refund failed.
    """

    id: str
    status: str
    amount: Money
    payment_intent_id: str
    refund_key: str
    payment_reference: str = ""
    pending_reason: str = ""
    failure_reason: str = ""
    balance_transaction: BalanceTransaction | None = None
    failure_balance_transaction: BalanceTransaction | None = None


def read_session(data: Mapping[str, Any]) -> CheckoutSession:
    """Read a session from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is missing or wrong."""
    return CheckoutSession(
        id=as_text(data["id"]),
        url=data.get("url") or "",
        status=as_text(data["status"]),
        payment_status=as_text(data["payment_status"]),
        payment_intent_id=id_of(data.get("payment_intent")),
        intent_status=_status_of(data.get("payment_intent")),
        total=Money(data["amount_total"], as_text(data["currency"]).upper()),
        livemode=as_flag(data["livemode"]),
        reference=str(data.get("client_reference_id") or ""),
        metadata=OurMetadata.read(data.get("metadata")),
        expires_at=datetime.fromtimestamp(int(data["expires_at"]), tz=UTC),
        is_taxed_by_stripe=bool((data.get("automatic_tax") or {}).get("enabled")),
    )


def read_computed_tax(item: Mapping[str, Any]) -> tuple[int, ComputedTax] | None:
    """Our order line and the tax of a session's line, with its taxes expanded; None if it names no line of ours."""
    named = _in_metadata(item, "line")
    if not named.isdecimal():
        return None
    rates = [tax["rate"] for tax in item.get("taxes") or () if tax["amount"]]
    percent = sum((Decimal(str(rate.get("effective_percentage") or rate["percentage"])) for rate in rates), Decimal(0))
    return int(named), ComputedTax(bps=int((percent * 100).to_integral_value()), minor=int(item["amount_tax"]))


def read_refund(data: Mapping[str, Any]) -> StripeRefund:
    """Read a refund from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is missing or wrong."""
    intent = data.get("payment_intent")
    return StripeRefund(
        id=as_text(data["id"]),
        # Documented as nullable; a refund without a status counts as pending.
        status=as_text(data["status"] or "pending"),
        amount=Money(data["amount"], as_text(data["currency"]).upper()),
        payment_intent_id=id_of(intent),
        refund_key=_in_metadata(data, "refund"),
        payment_reference=_in_metadata(intent, "payment") if isinstance(intent, Mapping) else "",
        pending_reason=str(data.get("pending_reason") or ""),
        failure_reason=str(data.get("failure_reason") or ""),
        balance_transaction=_expanded_transaction(data.get("balance_transaction")),
        failure_balance_transaction=_expanded_transaction(data.get("failure_balance_transaction")),
    )


def read_balance_transaction(data: Mapping[str, Any]) -> BalanceTransaction:
    """Read a balance transaction from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is wrong."""
    currency = as_text(data["currency"]).upper()
    return BalanceTransaction(
        id=as_text(data["id"]),
        type=as_text(data["type"]),
        amount=Money(data["amount"], currency),
        fee=Money(data["fee"], currency),
        fee_parts=", ".join(f"{part['type']} {part['amount']}" for part in data.get("fee_details") or ()),
        source_id=id_of(data.get("source")),
        created_at=datetime.fromtimestamp(int(data["created"]), tz=UTC),
        available_at=datetime.fromtimestamp(int(data["available_on"]), tz=UTC),
    )


def _expanded_transaction(value: Any) -> BalanceTransaction | None:
    return read_balance_transaction(value) if isinstance(value, Mapping) else None


def _in_metadata(data: Mapping[str, Any], name: str) -> str:
    """A value in the metadata. It may be any text, because people edit metadata in the Dashboard. Raises TypeError."""
    metadata = data.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise TypeError("metadata expected")
    return str(metadata.get(name) or "")


def id_of(value: Any) -> str:
    """The id of a reference, which may be an expanded object, a plain id, or None. Raises KeyError or TypeError."""
    if value is None:
        return ""
    return as_text(value["id"] if isinstance(value, Mapping) else value)


def _status_of(value: Any) -> str:
    """The status of an expanded object; empty for a plain id."""
    return as_text(value["status"]) if isinstance(value, Mapping) else ""


def as_text(value: Any) -> str:
    """A text that Stripe always sends. Raises TypeError, since `str` would turn a missing id into "None"."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"text expected, not {value!r:.50}")
    return value


def as_flag(value: Any) -> bool:
    """A flag that Stripe always sends. Raises TypeError, since `bool` would read null as test mode."""
    if not isinstance(value, bool):
        raise TypeError(f"true or false expected, not {value!r:.50}")
    return value
