"""The handlers of Stripe's events about disputes and early fraud warnings. Each acts on the fetched object."""

from __future__ import annotations

from payments.disputes.fraud_warnings import record_fraud_warning
from payments.disputes.recording import record_dispute
from payments.disputes.stripe_objects import StripeDispute, StripeFraudWarning
from payments.evidence import PaymentUnknown
from payments.models import WebhookEvent


def dispute_changed(event: WebhookEvent, fresh: StripeDispute) -> str:
    """Record the current state of a dispute, for any of its events."""
    recorded = record_dispute(fresh)
    if recorded is None:
        raise PaymentUnknown(fresh.payment_intent_id or fresh.charge_id)
    event.order = recorded.dispute.payment.order
    return f"dispute {recorded.dispute.status}" if recorded.has_changed else "already_processed"


def fraud_warning_changed(event: WebhookEvent, fresh: StripeFraudWarning) -> str:
    """Record an early fraud warning."""
    warning = record_fraud_warning(fresh)
    if warning is None:
        raise PaymentUnknown(fresh.payment_intent_id or fresh.charge_id)
    event.order = warning.payment.order
    return "staff notified" if warning.needs_decision else "no decision needed"
