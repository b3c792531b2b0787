"""What we read of Stripe's objects, whether an answer or an event carries them. Strict about what Stripe always sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from money import Money
from payments.metadata import OurMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession:
    """What we read of a Checkout Session."""

    id: str
    url: str
    status: str
    payment_status: str
    payment_intent_id: str
    # Known where the payment intent was asked for along with the session.
    intent_status: str
    total: Money
    livemode: bool
    reference: str
    metadata: OurMetadata
    expires_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def is_paid(self) -> bool:
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")

    @property
    def is_refused(self) -> bool:
        """Completed by the student, but their bank said no. The session alone looks as if it were still under way."""
        is_unpaid = self.status == "complete" and self.payment_status == "unpaid"
        return is_unpaid and self.intent_status in ("requires_payment_method", "canceled")

    @property
    def is_processing(self) -> bool:
        """Completed by the student, but the money is not there yet (bank debits)."""
        return self.status == "complete" and self.payment_status == "unpaid" and not self.is_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """What we read of a charge. Empty, and None, for what Stripe has not made known yet."""

    charge_id: str
    balance_transaction_id: str
    # In the currency the account is paid out in.
    fee: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRefund:
    """What we read of a refund. Empty strings where Stripe does not say.

    `refund_key` is our key in its metadata. `payment_reference` is in the metadata of its payment intent, and known only
    where that was asked for as well.
    """

    id: str
    status: str
    amount: Money
    payment_intent_id: str
    refund_key: str
    payment_reference: str = ""
    pending_reason: str = ""
    failure_reason: str = ""


def read_session(data: Mapping[str, Any]) -> CheckoutSession:
    """Our view of a session as Stripe describes it. Raises KeyError, TypeError or ValueError if it does not fit."""
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
    )


def read_refund(data: Mapping[str, Any]) -> StripeRefund:
    """Our view of a refund as Stripe describes it. Raises KeyError, TypeError or ValueError if it does not fit."""
    intent = data.get("payment_intent")
    return StripeRefund(
        id=as_text(data["id"]),
        # Documented as nullable; a refund Stripe says nothing about is under way.
        status=as_text(data["status"] or "pending"),
        amount=Money(data["amount"], as_text(data["currency"]).upper()),
        payment_intent_id=id_of(intent),
        refund_key=_in_metadata(data, "refund"),
        payment_reference=_in_metadata(intent, "payment") if isinstance(intent, Mapping) else "",
        pending_reason=str(data.get("pending_reason") or ""),
        failure_reason=str(data.get("failure_reason") or ""),
    )


def _in_metadata(data: Mapping[str, Any], name: str) -> str:
    """What the metadata says, which may be anything: people edit it in the Dashboard. Raises TypeError."""
    metadata = data.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise TypeError("metadata expected")
    return str(metadata.get(name) or "")


def id_of(value: Any) -> str:
    """The id of a reference that may be expanded, a plain id, or absent. Raises KeyError or TypeError."""
    if value is None:
        return ""
    return as_text(value["id"] if isinstance(value, Mapping) else value)


def _status_of(value: Any) -> str:
    """The status of what is expanded; empty where there is an id alone."""
    return as_text(value["status"]) if isinstance(value, Mapping) else ""


def as_text(value: Any) -> str:
    """A text Stripe always sends. Raises TypeError: `str` would turn a missing id into "None", and store that."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"text expected, not {value!r:.50}")
    return value


def as_flag(value: Any) -> bool:
    """A flag Stripe always sends. Raises TypeError: `bool` would read null as test mode."""
    if not isinstance(value, bool):
        raise TypeError(f"true or false expected, not {value!r:.50}")
    return value
