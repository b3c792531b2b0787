"""Fetch the current state of the object that an event is about. Call these functions outside transactions.

Both raise Unreadable, StripeUnreachable or StripeRefused.
"""

from __future__ import annotations

from payments.disputes import gateway
from payments.disputes.stripe_objects import StripeDispute, StripeFraudWarning
from payments.stripe_objects import as_text
from payments.webhook.fetches import Payload, reading


def fetch_dispute(payload: Payload) -> StripeDispute:
    """The current state of a dispute."""
    with reading():
        return gateway.retrieve_dispute(as_text(payload["id"]))


def fetch_fraud_warning(payload: Payload) -> StripeFraudWarning:
    """The current state of an early fraud warning."""
    with reading():
        return gateway.retrieve_fraud_warning(as_text(payload["id"]))
