"""What each event does. Every function moves its order forward only, and says in a few words what it did."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from money import Money
from payments.evidence import ConfirmationNeeded, PaymentEvidence, PaymentUnknown, find_payment
from payments.mails import queue_card_declined
from payments.metadata import OurMetadata
from payments.models import Order, Payment, WebhookEvent
from payments.outcomes import record_expiry, record_refused_debit
from payments.refund_outcomes import record_refund
from payments.settlement import record_processing, settle_payment
from payments.stripe_objects import CheckoutSession, StripeRefund, as_flag, as_text, read_session
from payments.webhook.fetches import Payload, Unreadable, reading

# What we sell is paid at once. Sessions in these modes have no order of ours.
_MODES_OF_OTHERS = ("setup", "subscription")


def session_completed(event: WebhookEvent, payload: Payload) -> str:
    """The student finished Stripe's page: deliver if the money is there, keep the places if it is on its way."""
    return session_confirmed(event, _read_session(payload))


def session_confirmed(event: WebhookEvent, session: CheckoutSession) -> str:
    """The same, of a session as Stripe has it now."""
    evidence = PaymentEvidence.from_session(session)
    if session.is_paid:
        event.order, settlement = settle_payment(evidence)
    elif session.is_processing:
        event.order, settlement = record_processing(evidence)
    else:
        # Neither is a guess worth making: waiting for money that is there, or delivering without it.
        raise Unreadable(f"status {session.status!r} with payment status {session.payment_status!r}")
    return settlement.value


def intent_succeeded(event: WebhookEvent, payload: Payload) -> str:
    """The money is there. Stripe may tell this before or after the session's completion; the first one delivers."""
    event.order, settlement = settle_payment(_read_intent(payload))
    return settlement.value


def intent_failed(event: WebhookEvent, payload: Payload) -> str:
    """A card was declined: the session stays open for another try, the student is told once."""
    payment = _payment_of_intent(payload)
    message = _words_for_the_student(_part_of(payload, "last_payment_error"))
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("user").get(pk=payment.order_id)
        event.order = order
        if order.state != Order.State.AWAITING_PAYMENT:
            return "order is past this"
        # Failed until a later try succeeds; its page stays open for that.
        Payment.objects.filter(pk=payment.pk, ended_at=None).update(
            status=Payment.Status.FAILED, failure_message=message
        )
        payment.order = order
        queue_card_declined(payment, message=message)
    return "student told"


def _words_for_the_student(error: Payload) -> str:
    """Stripe's own words where it writes for cardholders, which is in card errors alone; the rest is for developers."""
    if error.get("type") == "card_error" and error.get("message"):
        return str(error["message"])[:300]
    if error.get("code") == "payment_intent_authentication_failure":
        return "Your bank could not confirm that it was you. Please try again, or use another card."
    return "The payment did not go through."


def session_expired(event: WebhookEvent, payload: Payload) -> str:
    """The page can no longer be paid: free the places. Ignored if the order was paid."""
    payment = _payment_of_session(payload)
    event.order = payment.order
    return "places freed" if record_expiry(payment) else "order is past this"


def session_async_failed(event: WebhookEvent, payload: Payload) -> str:
    """The bank said no after days: free the places, give the cart back, tell the student."""
    payment = _payment_of_session(payload)
    event.order = payment.order
    return "places freed" if record_refused_debit(payment) else "order is past this"


def refund_changed(event: WebhookEvent, stripe_refund: StripeRefund) -> str:
    """Take in how a refund stands now, whichever of its events asked."""
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
        # Checkout writes the session's id here: the same link back, whichever event comes first.
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
    """An object within the object, empty if absent. Raises Unreadable."""
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
    """The payment a failing intent belongs to. Nothing is delivered on its word, so metadata alone may name it."""
    evidence = _read_intent({**payload, "amount_received": 0})
    try:
        return find_payment(
            session_id=evidence.session_id,
            payment_intent_id=evidence.payment_intent_id,
            payment_reference=evidence.payment_reference,
        )
    except ConfirmationNeeded as named:
        return named.payment
