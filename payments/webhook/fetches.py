"""Fetch the current state of an event's object from Stripe. Call these functions outside transactions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from money.amounts import UnknownCurrency
from payments import gateway
from payments.evidence import ConfirmationNeeded, PaymentDisagrees, find_payment
from payments.metadata import OurMetadata
from payments.stripe_objects import CheckoutSession, StripeRefund, as_text

Payload = Mapping[str, Any]


class Unreadable(Exception):
    """A required field is missing or of another type: the API version has changed, or this is not Stripe's object."""


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Translate the errors of reading a Stripe object into Unreadable."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, UnknownCurrency) as error:
        raise Unreadable(repr(error)[:500]) from error


def fetch_refund(payload: Payload) -> StripeRefund:
    """The current state of a refund. Raises Unreadable, StripeUnreachable or StripeRefused."""
    with reading():
        return gateway.retrieve_refund(as_text(payload["id"]))


def fetch_session(payload: Payload) -> CheckoutSession:
    """The current state of a session. Raises Unreadable, StripeUnreachable or StripeRefused."""
    with reading():
        return gateway.retrieve_session(as_text(payload["id"]))


def fetch_session_of_intent(payload: Payload) -> CheckoutSession:
    """The session of the payment that an intent's metadata names. Raises PaymentDisagrees if another intent paid it.

    Also raises as find_payment does, Unreadable, StripeUnreachable or StripeRefused.
    """
    with reading():
        intent_id = as_text(payload["id"])
        reference = OurMetadata.read(payload.get("metadata")).payment
    try:
        payment = find_payment(session_id="", payment_intent_id=intent_id, payment_reference=reference)
    except ConfirmationNeeded as named:
        payment = named.payment
    with reading():
        session = gateway.retrieve_session(payment.stripe_session_id or "")
    if session.payment_intent_id != intent_id:
        raise PaymentDisagrees(f"Only the metadata names {payment}; at Stripe another intent belongs to its session.")
    return session
