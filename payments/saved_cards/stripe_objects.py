"""Our view of Stripe's payment methods and payment intents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from money import Money
from payments.declines import message_for_student
from payments.metadata import OurMetadata
from payments.payers import name_of_method
from payments.stripe_objects import as_flag, as_text


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMethod:
    """The fields we use of a payment method that is attached to a customer."""

    id: str
    kind: str
    name: str
    last_four: str
    expires_year: int | None
    expires_month: int | None
    is_offered_again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeIntent:
    """The fields we use of a payment intent. `next_url` is where the bank asks whether it is the student."""

    id: str
    status: str
    received: Money
    livemode: bool
    metadata: OurMetadata
    next_url: str
    # What went wrong with the last attempt, for the student; empty if nothing did.
    problem: str


def read_method(data: Mapping[str, Any]) -> StoredMethod:
    """Read a payment method from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is wrong."""
    kind = as_text(data["type"])
    details = data.get(kind)
    details = details if isinstance(details, Mapping) else {}
    year, month = details.get("exp_year"), details.get("exp_month")
    return StoredMethod(
        id=as_text(data["id"]),
        kind=kind,
        name=name_of_method(kind, details),
        last_four=str(details.get("last4") or "")[:4],
        expires_year=int(year) if year and month else None,
        expires_month=int(month) if year and month else None,
        is_offered_again=data.get("allow_redisplay") == "always",
    )


def read_intent(data: Mapping[str, Any]) -> StripeIntent:
    """Read a payment intent from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is wrong."""
    error = data.get("last_payment_error") or {}
    action = data.get("next_action") or {}
    return StripeIntent(
        id=as_text(data["id"]),
        status=as_text(data["status"]),
        received=Money(data["amount_received"], as_text(data["currency"]).upper()),
        livemode=as_flag(data["livemode"]),
        metadata=OurMetadata.read(data.get("metadata")),
        next_url=str((action.get("redirect_to_url") or {}).get("url") or ""),
        problem=message_for_student(error) if error else "",
    )
