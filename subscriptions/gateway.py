"""Calls to Stripe about subscriptions, their invoices, and the catalogue. Takes and returns our own types.

Never called inside a transaction or under a lock. Each raises StripeUnreachable or StripeRefused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.stripe_api import client, translated_errors
from subscriptions.stripe_objects import (
    ChangePreview,
    StripeInvoice,
    StripeSubscription,
    SubscriptionPage,
    read_invoice,
    read_page,
    read_preview,
    read_subscription,
)

# Newest first: more than two years of monthly invoices. The follow-up looks once a period.
_INVOICES_LOOKED_AT = 30


def create_page(request: Mapping[str, Any], *, idempotency_key: str) -> SubscriptionPage:
    """Open the Checkout page of a frozen request."""
    params: Any = dict(request)
    with translated_errors():
        session = client().v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})
    return read_page(session.to_dict())


def retrieve_page(session_id: str) -> SubscriptionPage:
    with translated_errors():
        session = client().v1.checkout.sessions.retrieve(session_id)
    return read_page(session.to_dict())


def expire_page(session_id: str) -> SubscriptionPage:
    """Close a page, so that no one can subscribe there. Refused if it is not open."""
    with translated_errors():
        session = client().v1.checkout.sessions.expire(session_id)
    return read_page(session.to_dict())


def retrieve_subscription(subscription_id: str) -> StripeSubscription:
    with translated_errors():
        found = client().v1.subscriptions.retrieve(subscription_id)
    return read_subscription(found.to_dict())


def list_invoices(subscription_id: str) -> list[StripeInvoice]:
    """The latest invoices of a subscription with their payments, the newest first."""
    params: Any = {"subscription": subscription_id, "limit": _INVOICES_LOOKED_AT, "expand": ["data.payments"]}
    with translated_errors():
        page = client().v1.invoices.list(params)
    return [read_invoice(invoice.to_dict()) for invoice in page.data]


def set_cancellation(subscription_id: str, *, at_period_end: bool, idempotency_key: str) -> None:
    """Have a subscription end with its period, or go on after all."""
    params: Any = {"cancel_at_period_end": at_period_end}
    with translated_errors():
        client().v1.subscriptions.update(subscription_id, params, {"idempotency_key": idempotency_key})


def cancel_now(subscription_id: str) -> None:
    """End a subscription at once. Refused if it has ended."""
    with translated_errors():
        client().v1.subscriptions.cancel(subscription_id)


def preview_change(subscription_id: str, *, item_id: str, price_id: str, proration_at: int) -> ChangePreview:
    """What Stripe would charge at once for another price, prorated to the second of `proration_at`."""
    params: Any = {
        "subscription": subscription_id,
        "subscription_details": {
            "items": [{"id": item_id, "price": price_id}],
            "proration_behavior": "always_invoice",
            "proration_date": proration_at,
        },
    }
    with translated_errors():
        return read_preview(client().v1.invoices.create_preview(params).to_dict())


def change_price(
    subscription_id: str, *, item_id: str, price_id: str, proration_at: int | None, idempotency_key: str
) -> None:
    """Change the price: charged at once if prorated to a second, otherwise from the next period.

    A charge that fails is refused with the bank's message, and changes nothing.
    """
    params: Any = {"items": [{"id": item_id, "price": price_id}], "proration_behavior": "none"}
    if proration_at is not None:
        params |= {
            "proration_behavior": "always_invoice",
            "proration_date": proration_at,
            "payment_behavior": "error_if_incomplete",
        }
    with translated_errors():
        client().v1.subscriptions.update(subscription_id, params, {"idempotency_key": idempotency_key})


def open_portal(customer_id: str, *, return_url: str) -> str:
    """The address of Stripe's page where a customer manages cards and invoices."""
    params: Any = {"customer": customer_id, "return_url": return_url}
    with translated_errors():
        return str(client().v1.billing_portal.sessions.create(params).url)


def void_unpaid_invoices(subscription_id: str) -> None:
    """Void what remains open after a subscription has ended, so that it is not paid any more."""
    for invoice in list_invoices(subscription_id):
        if invoice.status == "open":
            with translated_errors():
                client().v1.invoices.void_invoice(invoice.id)
