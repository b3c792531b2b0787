"""Stripe's events about subscriptions. Each is only a hint: what it is now is fetched, and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payments.evidence import PaymentUnknown
from payments.models import WebhookEvent
from payments.stripe_objects import as_text
from payments.webhook.fetches import reading
from payments.webhook.routing import Route
from subscriptions import mails
from subscriptions.recording import Snapshot, fetch_snapshot, record_snapshot
from subscriptions.stripe_objects import subscription_of


def fetch_subscription(payload: Mapping[str, Any]) -> Snapshot:
    """The current state of a subscription. Raises Unreadable, PaymentUnknown, StripeUnreachable or StripeRefused."""
    with reading():
        return fetch_snapshot(as_text(payload["id"]))


def fetch_subscription_of_invoice(payload: Mapping[str, Any]) -> Snapshot:
    """The current state of the subscription that an invoice belongs to. Raises as fetch_subscription."""
    with reading():
        stripe_id = subscription_of(payload)
        if not stripe_id:
            raise PaymentUnknown("an invoice of no subscription")
        return fetch_snapshot(stripe_id)


def subscription_changed(event: WebhookEvent, snapshot: Snapshot) -> str:
    """Record what the subscription is now, for any event about it or its invoices."""
    row = record_snapshot(snapshot)
    period = row.periods.select_related("line").order_by("-pk").first()
    if period is not None and period.line is not None and event.type.startswith("invoice."):
        event.order_id = period.line.order_id
    return f"subscription {row.status}"


def renewal_announced(_event: WebhookEvent, snapshot: Snapshot) -> str:
    """Stripe renews it within days: people who pay by the year are told."""
    row = record_snapshot(snapshot)
    mails.queue_renewal_announced(row)
    return f"subscription {row.status}"


def trial_ends_soon(_event: WebhookEvent, snapshot: Snapshot) -> str:
    """The trial ends within days, and the first payment is due."""
    row = record_snapshot(snapshot)
    mails.queue_trial_ends(row)
    return f"subscription {row.status}"


_CHANGED: Final = Route(subscription_changed, 10, fetch=fetch_subscription)
_INVOICED: Final = Route(subscription_changed, 10, fetch=fetch_subscription_of_invoice)
ROUTES: Final[Mapping[str, Route]] = {
    "customer.subscription.created": _CHANGED,
    "customer.subscription.updated": _CHANGED,
    "customer.subscription.deleted": _CHANGED,
    "customer.subscription.paused": _CHANGED,
    "customer.subscription.resumed": _CHANGED,
    "customer.subscription.trial_will_end": Route(trial_ends_soon, 15, fetch=fetch_subscription),
    "invoice.paid": _INVOICED,
    "invoice.payment_failed": _INVOICED,
    "invoice.payment_action_required": _INVOICED,
    "invoice.upcoming": Route(renewal_announced, 15, fetch=fetch_subscription_of_invoice),
}
