"""Calls to Stripe about sessions, charges, customers, refunds and events. Takes and returns our own types.

Never called inside a transaction or under a lock: an answer can take seconds, or never arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from money import Money
from payments.payers import country_of_payer, name_payment_method, write_billing_address
from payments.stripe_api import client as _client
from payments.stripe_api import translated_errors as _translated_errors
from payments.stripe_objects import (
    ChargeFacts,
    CheckoutSession,
    ComputedTax,
    StripeRefund,
    id_of,
    read_balance_transaction,
    read_computed_tax,
    read_refund,
    read_session,
)

_EVENTS_PER_PAGE = 100
# The most types that one request for events may name (docs: "List all events", types).
TYPES_PER_LIST = 20


def create_session(request: Mapping[str, Any], *, idempotency_key: str) -> CheckoutSession:
    """Create the Checkout Session of one payment from the request that was frozen with it.

    Raises StripeUnreachable or StripeRefused; KeyUsedDifferently if Stripe has seen the key with another request.
    """
    params: Any = dict(request)
    with _translated_errors():
        session = _client().v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})
    return read_session(session.to_dict())


def retrieve_session(session_id: str) -> CheckoutSession:
    """The current state of a session and its payment intent, with the taxes that Stripe computed once it is complete.

    Raises StripeUnreachable or StripeRefused.
    """
    with _translated_errors():
        session = _client().v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]})
    found = read_session(session.to_dict())
    if found.is_taxed_by_stripe and not found.is_open:
        return replace(found, taxes=_taxes_of(session_id))
    return found


def _taxes_of(session_id: str) -> Mapping[int, ComputedTax]:
    """The tax of each of our lines. Raises StripeUnreachable or StripeRefused."""
    params: Any = {"limit": 100, "expand": ["data.taxes"]}
    with _translated_errors():
        items = list(_client().v1.checkout.sessions.line_items.list(session_id, params).auto_paging_iter())
    return dict(filter(None, (read_computed_tax(item.to_dict()) for item in items)))


def retrieve_charge(payment_intent_id: str) -> ChargeFacts:
    """The charge that paid a payment intent, as far as Stripe reports it. Raises StripeUnreachable or StripeRefused."""
    with _translated_errors():
        intent = _client().v1.payment_intents.retrieve(
            payment_intent_id, {"expand": ["latest_charge.balance_transaction"]}
        )
    charge = intent.to_dict().get("latest_charge")
    transaction = charge.get("balance_transaction") if isinstance(charge, Mapping) else None
    return ChargeFacts(
        charge_id=id_of(charge),
        balance_transaction=read_balance_transaction(transaction) if isinstance(transaction, Mapping) else None,
        paid_with=name_payment_method(charge) if isinstance(charge, Mapping) else "",
        billed_to=write_billing_address(charge) if isinstance(charge, Mapping) else "",
        billed_country=country_of_payer(charge) if isinstance(charge, Mapping) else "",
    )


def expire_session(session_id: str) -> CheckoutSession:
    """End an open session so that it cannot be paid any more. Raises StripeRefused if it is not open."""
    with _translated_errors():
        session = _client().v1.checkout.sessions.expire(session_id)
    return read_session(session.to_dict())


def find_session(*, reference: str, created_from: datetime) -> CheckoutSession | None:
    """Search for the session created for a payment, when Stripe may have forgotten the idempotency key (after 24 h)."""
    params: Any = {"created": {"gte": int(created_from.timestamp())}, "limit": 100}
    with _translated_errors():
        for session in _client().v1.checkout.sessions.list(params).auto_paging_iter():
            if session.client_reference_id == reference:
                return read_session(session.to_dict())
    return None


def create_customer(*, email: str, name: str, reference: str, idempotency_key: str) -> str:
    """Create a customer and return its id. Raises StripeUnreachable or StripeRefused."""
    params: Any = {"email": email, "metadata": {"customer": reference}}
    if name:
        params["name"] = name
    with _translated_errors():
        return _client().v1.customers.create(params, {"idempotency_key": idempotency_key}).id


def find_customer(*, email: str, reference: str) -> str:
    """Search for the customer that was created with our reference; its id, empty if there is none."""
    params: Any = {"email": email, "limit": 100}
    with _translated_errors():
        for customer in _client().v1.customers.list(params).auto_paging_iter():
            if (customer.to_dict().get("metadata") or {}).get("customer") == reference:
                return customer.id
    return ""


def update_customer(customer_id: str, *, email: str, name: str) -> None:
    """Replace address and name. Raises StripeUnreachable or StripeRefused; NoSuchObject if it was deleted."""
    params: Any = {"email": email, "name": name}
    with _translated_errors():
        _client().v1.customers.update(customer_id, params)


def delete_customer(customer_id: str) -> None:
    """Delete a customer with its saved cards. Raises StripeUnreachable or StripeRefused; NoSuchObject if done before."""
    with _translated_errors():
        _client().v1.customers.delete(customer_id)


def create_refund(
    *, payment_intent_id: str, amount: Money, order_number: str, refund_key: str, idempotency_key: str
) -> StripeRefund:
    """Ask Stripe to refund part of a payment. Raises StripeUnreachable or StripeRefused."""
    params: Any = {
        "payment_intent": payment_intent_id,
        "amount": amount.minor,
        "metadata": {"order": order_number, "refund": refund_key},
    }
    with _translated_errors():
        refund = _client().v1.refunds.create(params, {"idempotency_key": idempotency_key})
    return read_refund(refund.to_dict())


def find_refund(*, payment_intent_id: str, refund_key: str) -> StripeRefund | None:
    """Search for a refund that was already made with our key, before one is created."""
    params: Any = {"payment_intent": payment_intent_id, "limit": 100}
    with _translated_errors():
        for refund in _client().v1.refunds.list(params).auto_paging_iter():
            found = read_refund(refund.to_dict())
            if found.refund_key == refund_key:
                return found
    return None


def retrieve_refund(refund_id: str) -> StripeRefund:
    """The current state of a refund, with the reference of its payment and its balance transactions.

    Raises StripeUnreachable or StripeRefused.
    """
    params: Any = {"expand": ["payment_intent", "balance_transaction", "failure_balance_transaction"]}
    with _translated_errors():
        refund = _client().v1.refunds.retrieve(refund_id, params)
    return read_refund(refund.to_dict())


def list_event_pages(
    *, created_from: datetime, created_before: datetime | None, types: Sequence[str]
) -> Iterator[list[Mapping[str, Any]]]:
    """Events of at most 20 types that were created in [from, before), or since; page by page, newest first.

    Stripe keeps them for 30 days. Raises StripeUnreachable or StripeRefused.
    """
    created = {"gte": int(created_from.timestamp())}
    if created_before:
        created["lt"] = int(created_before.timestamp())
    params: Any = {"created": created, "types": list(types), "limit": _EVENTS_PER_PAGE}
    with _translated_errors():
        page = _client().v1.events.list(params)
        while page.data:
            yield [event.to_dict(for_json=True) for event in page.data]
            if not page.has_more:
                return
            page = page.next_page()
