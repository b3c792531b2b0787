"""Pay an order with a saved card, without a page at Stripe: only once however often that is tried, or not at all.

The intent is created first, which charges nothing, and its id stored; then it is confirmed. Stripe carries out either the
confirmation or the cancellation of an intent, so a payment can be closed safely though the answer to a call was lost.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.utils import timezone

from payments.customers import record_if_deleted
from payments.intent_outcomes import record_intent
from payments.models import Order, Payment, PaymentMethod
from payments.models.order import lines_in_lock_order
from payments.orders import cancel_order
from payments.outcomes import sync_with_stripe
from payments.saved_cards import gateway
from payments.saved_cards.stripe_objects import StripeIntent
from payments.session_requests import order_metadata
from payments.stripe_api import (
    AMOUNT_CODES,
    KeyUsedDifferently,
    StripeMisconfigured,
    StripeRefused,
    StripeUnreachable,
)

log = structlog.get_logger()

# As for sessions: Stripe forgets keys after 24 hours, and its clock may differ.
_KEY_IS_REMEMBERED = timedelta(hours=23)
_CLOCKS_MAY_DIFFER = timedelta(hours=1)
_UNUSABLE = "This card can no longer be used here. Please choose another way to pay."


def build_intent_request(order: Order, card: PaymentMethod, *, reference: uuid.UUID, return_url: str) -> dict[str, Any]:
    """All parameters of the two calls that charge a saved card, as plain JSON. The amount in minor units."""
    return {
        "create": {
            "amount": order.total_minor,
            "currency": order.currency.lower(),
            "customer": card.customer.stripe_customer_id,
            "description": f"Order {order.number}",
            "metadata": order_metadata(order, lines_in_lock_order(order), reference),
        },
        "confirm": {"payment_method": card.stripe_payment_method_id, "return_url": return_url},
    }


def charge_card(payment: Payment, *, is_student_here: bool) -> None:
    """Charge the card now, unless that was done before, and record the outcome. Call outside transactions.

    A card that is declined, or was removed, ends the payment with its failure message. Raises StripeUnreachable or
    StripeMisconfigured if the outcome remains unknown: a worker repeats the call. Raises StripeRefused, after cancelling
    the order, for an amount that cannot be paid; and what recording raises.
    """
    try:
        intent = _find_or_create(payment)
        if intent.status in ("requires_payment_method", "requires_confirmation") and not intent.problem:
            intent = _confirm(payment, intent)
    except StripeMisconfigured:
        raise
    except StripeRefused as refusal:
        _give_up(payment, refusal)
        if refusal.code in AMOUNT_CODES:
            raise
        return
    record_intent(payment, intent, is_student_here=is_student_here)


def close_intent(payment: Payment) -> None:
    """Make sure at Stripe that the card is not charged any more, and record it if it was charged before.

    Raises StripeUnreachable, or StripeRefused.
    """
    try:
        intent = _find_or_create(payment)
    except StripeMisconfigured:
        raise
    except StripeRefused as refusal:
        # What Stripe refuses to create is not there; nothing else creates it, since the request is frozen.
        _give_up(payment, refusal)
        return
    try:
        gateway.cancel_intent(intent.id)
    except StripeMisconfigured:
        raise
    except StripeRefused:
        # Paid, or cancelled before. Its state decides.
        sync_with_stripe(payment)


def _find_or_create(payment: Payment) -> StripeIntent:
    """The payment's intent, created before or now, with its id stored."""
    if payment.stripe_payment_intent_id:
        return gateway.retrieve_intent(payment.stripe_payment_intent_id)
    intent = _create(payment)
    Payment.objects.filter(pk=payment.pk, stripe_payment_intent_id=None).update(stripe_payment_intent_id=intent.id)
    payment.stripe_payment_intent_id = intent.id
    return intent


def _create(payment: Payment) -> StripeIntent:
    is_old = timezone.now() - payment.created_at > _KEY_IS_REMEMBERED
    found = _find(payment) if is_old else None
    if found:
        return found
    try:
        return gateway.create_intent(payment.intent_request["create"], idempotency_key=payment.idempotency_key)
    except KeyUsedDifferently:
        log.exception("intent_key_used_differently", order=payment.order.number)
        found = _find(payment)
        if found is None:
            raise
        return found


def _find(payment: Payment) -> StripeIntent | None:
    return gateway.find_intent(
        customer_id=payment.intent_request["create"]["customer"],
        reference=str(payment.reference),
        created_from=payment.created_at - _CLOCKS_MAY_DIFFER,
    )


def _confirm(payment: Payment, intent: StripeIntent) -> StripeIntent:
    request, key = payment.intent_request["confirm"], f"{payment.idempotency_key}-confirm"
    try:
        return gateway.confirm_intent(intent.id, request, idempotency_key=key)
    except StripeMisconfigured:
        raise
    except StripeRefused:
        # Another process may have confirmed or cancelled it in the meantime.
        now = gateway.retrieve_intent(intent.id)
        if now.status in ("requires_payment_method", "requires_confirmation") and not now.problem:
            raise
        return now


def _give_up(payment: Payment, refusal: StripeRefused) -> None:
    """End a payment that Stripe refuses to take, for example because the card was removed a moment ago."""
    customer_id = str(payment.intent_request["create"]["customer"])
    if not record_if_deleted(customer_id, refusal):
        log.error("card_refused", order=payment.order.number, code=refusal.code, problem=str(refusal))
    if payment.stripe_payment_intent_id:
        try:
            gateway.cancel_intent(payment.stripe_payment_intent_id)
        except StripeUnreachable:
            raise
        except StripeRefused:
            sync_with_stripe(payment)
    Payment.objects.filter(pk=payment.pk, ended_at=None).update(failure_message=_UNUSABLE)
    cancel_order(
        order_id=payment.order_id, reason=f"Stripe refused: {refusal}"[:200], payment_status=Payment.Status.FAILED
    )
