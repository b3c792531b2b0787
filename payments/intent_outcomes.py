"""Record what became of the payment intent of a saved card. Pages' intents belong to their sessions: see `outcomes`."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, Value, When

from payments.evidence import PaymentEvidence
from payments.mails import queue_card_declined
from payments.models import Payment
from payments.orders import cancel_order
from payments.saved_cards import gateway
from payments.saved_cards.stripe_objects import StripeIntent
from payments.settlement import record_processing, settle_payment
from payments.stripe_api import StripeMisconfigured, StripeRefused

DECLINED = "The card was declined."
_NOT_CHARGED = "The card was not charged."


def record_intent(payment: Payment, intent: StripeIntent, *, is_student_here: bool = False) -> None:
    """Bring the order to the state of its intent. Call outside transactions: a declined one is cancelled at Stripe.

    A student who is not told in the answer to their click is mailed if the card was declined. Raises StripeUnreachable, StripeRefused, and what settle_payment raises.
    """
    match intent.status:
        case "succeeded":
            settle_payment(_evidence(intent))
        case "processing":
            record_processing(_evidence(intent))
        case "canceled" if intent.problem:
            _record_decline(payment, intent.problem, is_student_here=is_student_here)
        case "canceled":
            cancel_order(order_id=payment.order_id, reason=_NOT_CHARGED, payment_status=Payment.Status.EXPIRED)
        case "requires_payment_method" if intent.problem:
            _end_at_stripe(intent)
            _record_decline(payment, intent.problem, is_student_here=is_student_here)
        case _:
            _store_next_step(payment, intent)


def _evidence(intent: StripeIntent) -> PaymentEvidence:
    return PaymentEvidence(
        session_id="",
        payment_intent_id=intent.id,
        payment_reference=intent.metadata.payment,
        total=intent.received,
        livemode=intent.livemode,
        metadata=intent.metadata,
    )


def _end_at_stripe(intent: StripeIntent) -> None:
    """A declined intent would take another card; ours is over, since the next attempt is a new payment."""
    try:
        gateway.cancel_intent(intent.id)
    except StripeMisconfigured:
        raise
    except StripeRefused:
        if gateway.retrieve_intent(intent.id).status != "canceled":
            raise


def _record_decline(payment: Payment, problem: str, *, is_student_here: bool) -> None:
    with transaction.atomic():
        Payment.objects.filter(pk=payment.pk, ended_at=None).update(
            status=Payment.Status.FAILED, failure_message=problem
        )
        is_cancelled = cancel_order(order_id=payment.order_id, reason=DECLINED, payment_status=Payment.Status.FAILED)
        if is_cancelled and not is_student_here:
            queue_card_declined(Payment.objects.select_related("order__user").get(pk=payment.pk))


def _store_next_step(payment: Payment, intent: StripeIntent) -> None:
    """The bank asks whether it is the student, on a page of its own; or nothing has happened yet."""
    is_asked = intent.status == "requires_action"
    new = Payment.Status.OPEN if is_asked else Payment.Status.CREATED
    is_waiting = When(status=Payment.Status.CREATED, then=Value(new))
    Payment.objects.filter(pk=payment.pk, ended_at=None).update(
        status=Case(is_waiting, default="status"), session_url=intent.next_url[:2000]
    )
