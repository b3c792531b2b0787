"""Our view of Stripe's subscriptions and invoices. Strict about the fields that Stripe always sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from money import Money
from payments.stripe_objects import as_flag, as_text, id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSubscription:
    """The fields we use of a subscription. Strings are empty, and moments None, if Stripe does not report them."""

    id: str
    customer_id: str
    status: str
    reference: str
    item_id: str
    price_id: str
    period_starts_at: datetime
    period_ends_at: datetime
    trial_ends_at: datetime | None
    cancel_at_period_end: bool
    cancel_reason: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedPeriod:
    """What an invoice bills: the price, and the stretch of time."""

    price_id: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeInvoice:
    """The fields we use of an invoice. `amount_paid` is what was really paid, without credit that was used up."""

    id: str
    subscription_id: str
    status: str
    billing_reason: str
    amount_paid: Money
    amount_due: Money
    paid_at: datetime | None
    payment_intent_id: str
    hosted_url: str
    attempt_count: int
    livemode: bool
    created_at: datetime
    billed: InvoicedPeriod | None

    @property
    def is_paid(self) -> bool:
        return self.status == "paid"

    @property
    def is_refused(self) -> bool:
        """Whether a try to charge it has failed, and it can still be paid."""
        return self.status == "open" and self.attempt_count > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPage:
    """A Checkout page for subscribing."""

    id: str
    url: str
    status: str
    subscription_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreview:
    """What a change of plan costs now, as Stripe's preview of its invoice says. `lines` are texts with their amounts."""

    amount_due: Money
    total: Money
    lines: Sequence[tuple[str, Money]]


def read_subscription(data: Mapping[str, Any]) -> StripeSubscription:
    """Read a subscription from Stripe's JSON. Raises KeyError, TypeError or ValueError if a field is missing or wrong."""
    [item] = data["items"]["data"]
    metadata = data.get("metadata") or {}
    return StripeSubscription(
        id=as_text(data["id"]),
        customer_id=id_of(data["customer"]),
        status=as_text(data["status"]),
        reference=str(metadata.get("subscription") or ""),
        item_id=as_text(item["id"]),
        price_id=as_text(item["price"]["id"]),
        period_starts_at=_moment(item["current_period_start"]),
        period_ends_at=_moment(item["current_period_end"]),
        trial_ends_at=_moment_or_none(data.get("trial_end")),
        cancel_at_period_end=as_flag(data["cancel_at_period_end"]),
        cancel_reason=str((data.get("cancellation_details") or {}).get("reason") or ""),
        started_at=_moment(data["start_date"]),
        ended_at=_moment_or_none(data.get("ended_at")),
    )


def read_invoice(data: Mapping[str, Any]) -> StripeInvoice:
    """Read an invoice with its payments from Stripe's JSON. Raises KeyError, TypeError or ValueError."""
    currency = as_text(data["currency"]).upper()
    return StripeInvoice(
        id=as_text(data["id"]),
        subscription_id=subscription_of(data),
        status=as_text(data["status"]),
        billing_reason=str(data.get("billing_reason") or ""),
        amount_paid=Money(data["amount_paid"], currency),
        amount_due=Money(data["amount_due"], currency),
        paid_at=_moment_or_none((data.get("status_transitions") or {}).get("paid_at")),
        payment_intent_id=_intent_of(data),
        hosted_url=str(data.get("hosted_invoice_url") or ""),
        attempt_count=int(data["attempt_count"]),
        livemode=as_flag(data["livemode"]),
        created_at=_moment(data["created"]),
        billed=_billed_period(data["lines"]["data"]),
    )


def subscription_of(data: Mapping[str, Any]) -> str:
    """The id of the subscription that an invoice belongs to; empty for one of none."""
    details = (data.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription"))


def read_page(data: Mapping[str, Any]) -> SubscriptionPage:
    """Read a Checkout Session in subscription mode. Raises KeyError, TypeError or ValueError."""
    return SubscriptionPage(
        id=as_text(data["id"]),
        url=str(data.get("url") or ""),
        status=as_text(data["status"]),
        subscription_id=id_of(data.get("subscription")),
        expires_at=_moment(data["expires_at"]),
    )


def read_preview(data: Mapping[str, Any]) -> ChangePreview:
    """Read the preview of an invoice. Raises KeyError, TypeError or ValueError."""
    currency = as_text(data["currency"]).upper()
    return ChangePreview(
        amount_due=Money(data["amount_due"], currency),
        total=Money(data["total"], currency),
        lines=[(str(line["description"]), Money(line["amount"], currency)) for line in data["lines"]["data"]],
    )


def _intent_of(data: Mapping[str, Any]) -> str:
    """The payment intent that paid an invoice; empty if none did, or if its payments were not retrieved with it."""
    for payment in (data.get("payments") or {}).get("data") or ():
        if payment.get("status") == "paid":
            return id_of((payment.get("payment") or {}).get("payment_intent"))
    return ""


def _billed_period(lines: Sequence[Mapping[str, Any]]) -> InvoicedPeriod | None:
    """What the largest line bills: after a change of plan the others give back what is left of the earlier plan."""
    priced = [line for line in lines if (line.get("pricing") or {}).get("price_details")]
    if not priced:
        return None
    line = max(priced, key=lambda each: int(each["amount"]))
    return InvoicedPeriod(
        price_id=as_text(line["pricing"]["price_details"]["price"]),
        starts_at=_moment(line["period"]["start"]),
        ends_at=_moment(line["period"]["end"]),
    )


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)


def _moment_or_none(seconds: Any) -> datetime | None:
    return None if seconds is None else _moment(seconds)
