"""Calls to Stripe about saved payment methods and the payment intents that charge them.

Never called inside a transaction or under a lock. Each raises StripeUnreachable or StripeRefused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import stripe
from django.conf import settings

from payments.saved_cards.stripe_objects import StoredMethod, StripeIntent, read_intent, read_method
from payments.stripe_api import StripeRefused, client, translated_errors
from payments.stripe_objects import id_of


def list_methods(customer_id: str) -> tuple[list[StoredMethod], str]:
    """What a customer has saved, newest first, and the id of the default, empty if there is none.

    Raises NoSuchObject for a customer that was deleted.
    """
    params: Any = {"limit": 100}
    with translated_errors():
        customer = client().v1.customers.retrieve(customer_id).to_dict()
        pages = client().v1.customers.payment_methods.list(customer_id, params).auto_paging_iter()
        methods = [read_method(method.to_dict()) for method in pages]
    settings = customer.get("invoice_settings") or {}
    return methods, id_of(settings.get("default_payment_method"))


def detach_method(method_id: str) -> None:
    """Remove a saved method from its customer."""
    with translated_errors():
        client().v1.payment_methods.detach(method_id)


def set_default_method(customer_id: str, method_id: str) -> None:
    """Make a saved method the one that is used where none is chosen."""
    params: Any = {"invoice_settings": {"default_payment_method": method_id}}
    with translated_errors():
        client().v1.customers.update(customer_id, params)


def create_setup_page(*, customer_id: str, success_url: str, cancel_url: str, idempotency_key: str) -> str:
    """Open a page at Stripe on which the customer saves a card, without paying; returns its address.

    Which other methods it offers is set in Stripe's Dashboard, by currency.
    """
    params: Any = {
        "mode": "setup",
        "customer": customer_id,
        "currency": settings.DEFAULT_CURRENCY.lower(),
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    with translated_errors():
        return client().v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key}).url or ""


def retrieve_setup_method(session_id: str) -> tuple[str, str]:
    """The customer of a finished setup page and the method saved there; both empty if it is not finished."""
    params: Any = {"expand": ["setup_intent"]}
    with translated_errors():
        session = client().v1.checkout.sessions.retrieve(session_id, params).to_dict()
    intent = session.get("setup_intent")
    if session.get("mode") != "setup" or not isinstance(intent, Mapping) or intent.get("status") != "succeeded":
        return "", ""
    return id_of(session.get("customer")), id_of(intent.get("payment_method"))


def offer_again(method_id: str) -> None:
    """Let Stripe's pages offer a saved method for the next purchase, as the student wished when they added it."""
    params: Any = {"allow_redisplay": "always"}
    with translated_errors():
        client().v1.payment_methods.update(method_id, params)


def create_intent(request: Mapping[str, Any], *, idempotency_key: str) -> StripeIntent:
    """Create the payment intent of one payment. It charges nothing until it is confirmed."""
    params: Any = dict(request)
    with translated_errors():
        intent = client().v1.payment_intents.create(params, {"idempotency_key": idempotency_key})
    return read_intent(intent.to_dict())


def confirm_intent(intent_id: str, request: Mapping[str, Any], *, idempotency_key: str) -> StripeIntent:
    """Charge the card. A declined card is an answer, not an error: the intent then requires another method."""
    params: Any = dict(request)
    try:
        with translated_errors():
            intent = client().v1.payment_intents.confirm(intent_id, params, {"idempotency_key": idempotency_key})
    except StripeRefused as refusal:
        if isinstance(refusal.__cause__, stripe.CardError):
            return retrieve_intent(intent_id)
        raise
    return read_intent(intent.to_dict())


def retrieve_intent(intent_id: str) -> StripeIntent:
    """The current state of a payment intent."""
    with translated_errors():
        intent = client().v1.payment_intents.retrieve(intent_id)
    return read_intent(intent.to_dict())


def cancel_intent(intent_id: str) -> StripeIntent:
    """Make sure that an intent can never be paid. Raises StripeRefused if it was paid or cancelled before."""
    with translated_errors():
        intent = client().v1.payment_intents.cancel(intent_id)
    return read_intent(intent.to_dict())


def find_intent(*, customer_id: str, reference: str, created_from: datetime) -> StripeIntent | None:
    """Search for the intent of a payment, when Stripe may have forgotten the idempotency key (after 24 h)."""
    params: Any = {"customer": customer_id, "created": {"gte": int(created_from.timestamp())}, "limit": 100}
    with translated_errors():
        for each in client().v1.payment_intents.list(params).auto_paging_iter():
            intent = read_intent(each.to_dict())
            if intent.metadata.payment == reference:
                return intent
    return None
