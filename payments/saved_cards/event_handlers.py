"""The handlers of Stripe's events about customers and what they saved. Each only has a worker read the current state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.models import Customer, WebhookEvent
from payments.saved_cards.refreshing import request_refresh
from payments.stripe_objects import id_of

Payload = Mapping[str, Any]

_OTHERS = "not ours"


def method_changed(event: WebhookEvent, payload: Payload) -> str:
    """A method was saved, removed or changed; the bank may have replaced a card by itself."""
    owner = id_of(payload.get("customer")) or _former_owner(event) or _owner_here(str(payload.get("id") or ""))
    return "read again" if owner and request_refresh(owner) else _OTHERS


def customer_changed(event: WebhookEvent, payload: Payload) -> str:  # noqa: ARG001  # the signature of event handlers
    """The default may be another one, or the customer was deleted."""
    return "read again" if request_refresh(str(payload.get("id") or "")) else _OTHERS


def _former_owner(event: WebhookEvent) -> str:
    """Whom a removed method belonged to: it belongs to no customer any more."""
    previous = (event.payload.get("data") or {}).get("previous_attributes") or {}
    return id_of(previous.get("customer")) if isinstance(previous, Mapping) else ""


def _owner_here(method_id: str) -> str:
    known = Customer.objects.filter(methods__stripe_payment_method_id=method_id)
    return known.values_list("stripe_customer_id", flat=True).first() or ""
