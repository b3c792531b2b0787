"""The handlers of Stripe's events. Each only moves its order forward, and returns a short text for the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from money import Money
from payments.declines import message_for_student
from payments.evidence import ConfirmationNeeded, PaymentEvidence, PaymentUnknown, find_payment
from payments.metadata import OurMetadata
from payments.models import Order, Payment, WebhookEvent
from payments.outcomes import record_expiry, record_refused_debit, request_follow_up
from payments.refunds.recording import record_refund
from payments.settlement import record_processing, settle_payment
from payments.stripe_objects import CheckoutSession, StripeRefund, as_flag, as_text, read_session
from payments.webhook.fetches import Payload, Unreadable, reading

# Everything sold here is paid at once, so sessions in these modes belong to no order of ours.
_MODES_OF_OTHERS = ("setup", "subscription")
_IN_TIME = timedelta(hours=1)


def session_completed(event: WebhookEvent, payload: Payload) -> str:
    """The student completed Stripe's page: deliver if it is paid, keep the places if a bank debit is processing."""
    return session_confirmed(event, _read_session(payload))


def session_confirmed(event: WebhookEvent, session: CheckoutSession) -> str:
    """As session_completed, for a session that was retrieved from Stripe."""
    evidence = PaymentEvidence.from_session(session)
    if session.is_paid:
        event.order, settlement = settle_payment(evidence, happened_at=_long_ago(event))
    elif session.is_processing:
        event.order, settlement = record_processing(evidence)
    else:
        # Any guess could be wrong: to wait for a payment that has arrived, or to deliver without one.
        raise Unreadable(f"status {session.status!r} with payment status {session.payment_status!r}")
    return settlement.value


def intent_succeeded(event: WebhookEvent, payload: Payload) -> str:
    """The payment has arrived. This event may come before or after the session's completion; the first one delivers."""
    event.order, settlement = settle_payment(_read_intent(payload), happened_at=_long_ago(event))
    return settlement.value


def intent_failed(event: WebhookEvent, payload: Payload) -> str:
    """A card was declined: the session stays open for another attempt. The student is mailed if they make none."""
    payment = _payment_of_intent(payload)
    if payment.charges_card:
        event.order = payment.order
        request_follow_up(payment)
        return "the outcome is asked for"
    message = message_for_student(_part_of(payload, "last_payment_error"))
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=payment.order_id)
        event.order = order
        if order.state != Order.State.AWAITING_PAYMENT:
            return "order is already further"
        # Failed until a later attempt succeeds; the page stays open for that.
        Payment.objects.filter(pk=payment.pk, ended_at=None).update(
            status=Payment.Status.FAILED, failure_message=message
        )
    return "failure recorded"


def _long_ago(event: WebhookEvent) -> datetime | None:
    """When an event that is acted on late was created at Stripe; None for one that comes in time.

    The books have a separate date only where it matters: such a journal makes balances at past moments slower to add up.
    """
    created_at = datetime.fromtimestamp(int(event.payload.get("created") or 0), tz=UTC)
    return created_at if created_at.timestamp() and timezone.now() - created_at > _IN_TIME else None


def session_expired(event: WebhookEvent, payload: Payload) -> str:
    """The page can no longer be paid: release the places. Ignored if the order was paid."""
    payment = _payment_of_session(payload)
    event.order = payment.order
    return "places released" if record_expiry(payment) else "order is already further"


def session_async_failed(event: WebhookEvent, payload: Payload) -> str:
    """The bank refused after days: release the places, restore the cart and mail the student."""
    payment = _payment_of_session(payload)
    event.order = payment.order
    return "places released" if record_refused_debit(payment) else "order is already further"


def refund_changed(event: WebhookEvent, stripe_refund: StripeRefund) -> str:
    """Record the current state of a refund, for any of its events."""
    recorded = record_refund(stripe_refund)
    if recorded is None:
        raise PaymentUnknown(stripe_refund.payment_intent_id)
    event.order = recorded.refund.payment.order
    return f"refund {recorded.refund.status}" if recorded.has_changed else "already_processed"


def _read_session(payload: Payload) -> CheckoutSession:
    with reading():
        if payload.get("mode") in _MODES_OF_OTHERS:
            raise PaymentUnknown(f"a session in {payload['mode']} mode")
        return read_session(payload)


def _read_intent(payload: Payload) -> PaymentEvidence:
    with reading():
        metadata = OurMetadata.read(payload.get("metadata"))
        # Checkout writes the session's id here, so the payment is found whichever event comes first.
        session_id = str(_part_of(payload, "payment_details").get("order_reference") or "")
        return PaymentEvidence(
            session_id=session_id if session_id.startswith("cs_") else "",
            payment_intent_id=as_text(payload["id"]),
            payment_reference=metadata.payment,
            total=Money(payload["amount_received"], as_text(payload["currency"]).upper()),
            livemode=as_flag(payload["livemode"]),
            metadata=metadata,
        )


def _part_of(payload: Payload, name: str) -> Payload:
    """An object within the object; empty if absent. Raises Unreadable."""
    part = payload.get(name) or {}
    if not isinstance(part, Mapping):
        raise Unreadable(name)
    return part


def _payment_of_session(payload: Payload) -> Payment:
    session = _read_session(payload)
    return find_payment(
        session_id=session.id,
        payment_intent_id=session.payment_intent_id,
        payment_reference=session.reference,
    )


def _payment_of_intent(payload: Payload) -> Payment:
    """The payment of a failed intent. Nothing is delivered because of it, so metadata alone is enough to find it."""
    evidence = _read_intent({**payload, "amount_received": 0})
    try:
        return find_payment(
            session_id=evidence.session_id,
            payment_intent_id=evidence.payment_intent_id,
            payment_reference=evidence.payment_reference,
        )
    except ConfirmationNeeded as named:
        return named.payment
