"""Stripe's and our own codes in the words in which staff read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.html import format_html

from payments.models import OrderLine, Payment, WebhookEvent
from payments.registry import handler_for, registered_domains
from payments.stripe_links import dashboard_url

_STATUS = Payment.Status
PAYMENT_STATUSES: Final[Mapping[str, str]] = {
    _STATUS.CREATED: "Payment page not opened yet",
    _STATUS.OPEN: "Waiting for the student to pay",
    _STATUS.PROCESSING: "On its way from the bank",
    _STATUS.SUCCEEDED: "Paid",
    _STATUS.FAILED: "Declined",
    _STATUS.EXPIRED: "Not paid in time",
}
PAYMENT_COLOURS: Final[Mapping[str, str]] = {
    _STATUS.CREATED: "info",
    _STATUS.OPEN: "info",
    _STATUS.PROCESSING: "warning",
    _STATUS.SUCCEEDED: "success",
    _STATUS.FAILED: "danger",
    _STATUS.EXPIRED: "info",
}
LINE_STATES: Final[Mapping[str, str]] = {
    OrderLine.State.RESERVED: "Reserved",
    OrderLine.State.FULFILLED: "Delivered",
    OrderLine.State.UNDELIVERABLE: "Could not be delivered",
    OrderLine.State.RELEASED: "Not bought",
    OrderLine.State.REVOKED: "Taken back",
}
_EVENT_TYPES: Final[Mapping[str, str]] = {
    "checkout.session.completed": "payment page completed",
    "checkout.session.async_payment_succeeded": "bank debit arrived",
    "checkout.session.async_payment_failed": "bank debit refused",
    "checkout.session.expired": "payment page expired",
    "payment_intent.succeeded": "payment arrived",
    "payment_intent.payment_failed": "card declined",
    "refund.created": "refund made",
    "refund.updated": "refund changed",
    "refund.failed": "refund failed",
    "charge.dispute.created": "dispute opened",
    "charge.dispute.updated": "dispute changed",
    "charge.dispute.closed": "dispute decided",
    "charge.dispute.funds_withdrawn": "disputed money taken",
    "charge.dispute.funds_reinstated": "disputed money given back",
    "radar.early_fraud_warning.created": "fraud warning",
    "radar.early_fraud_warning.updated": "fraud warning changed",
    "transfer.created": "transfer made",
    "transfer.updated": "transfer changed",
    "transfer.reversed": "transfer taken back",
    "account.updated": "teacher's account changed",
    "payout.paid": "payout reached the bank",
    "payout.failed": "payout refused by the bank",
}
# What the event handlers answer; other outcomes are sentences already.
_OUTCOMES: Final[Mapping[str, str]] = {
    "settled": "The order was completed.",
    "payment_already_processed": "Nothing to do: the order was completed before.",
    "the order was paid before; refunded": "The order had been paid before, so this payment is refunded.",
    "not ours": "Nothing to do: it is not a payout of Lectern.",
    "staff notified": "Staff were alerted.",
    "no decision needed": "Nothing to do.",
    "quarantined": "It fits no order.",
    "to be confirmed by Stripe": "Stripe is asked to confirm it.",
    "already_processed": "Nothing to do: it was known already.",
    "order is already further": "Nothing to do: the order had moved on.",
    "places released": "The places were released.",
    "student notified": "The student was told that the card was declined.",
    "stored; nothing to do for this type": "Kept; Lectern does not act on this type.",
}


def payment_status(payment: Payment) -> str:
    """How far a payment is, in words."""
    return PAYMENT_STATUSES.get(payment.status, payment.status)


def event_type(event: WebhookEvent) -> str:
    """What an event reports; Stripe's own name for a type that has no words here."""
    return _EVENT_TYPES.get(event.type, event.type.replace(".", " ").replace("_", " ")).capitalize()


def outcome(event: WebhookEvent) -> str:
    """What became of an event; empty if it has not been processed."""
    if event.is_quarantined and event.outcome:
        return f"Set aside: {event.outcome}"
    written = event.outcome.replace("_", " ")
    return _OUTCOMES.get(event.outcome, f"{written[:1].upper()}{written[1:]}")


def domain_label(domain: str) -> str:
    """What a line is, such as "Workshop" for a domain called workshops."""
    return handler_for(domain).label if domain in registered_domains() else domain.replace("_", " ").capitalize()


def stripe_link(object_id: str | None, *, livemode: bool) -> str:
    """An id at Stripe as a link to Stripe's page about it; a dash if there is none."""
    url = dashboard_url(object_id or "", livemode=livemode)
    return format_html('<a class="underline" href="{}" rel="noreferrer">{}</a>', url, object_id) if url else "–"
