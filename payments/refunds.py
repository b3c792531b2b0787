"""Give money back: written first, sent by a worker, made true by Stripe's confirmation."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs.models import WorkParked
from notifications.alerts import raise_alert
from payments import gateway
from payments.models import OrderLine, Payment, Refund

log = structlog.get_logger()

_STATUS_OF_STRIPE = {
    "succeeded": Refund.Status.SUCCEEDED,
    "failed": Refund.Status.FAILED,
    "canceled": Refund.Status.FAILED,
}


def request_refund_of_undeliverable(line: OrderLine) -> Refund | None:
    """Note that a paid line which could not be delivered is to be refunded in whole. Call within the settlement.

    The unique constraint makes a repeat harmless. A line that cost nothing has nothing to refund.
    """
    if line.amount_minor == 0:
        return None
    refund, _ = Refund.objects.get_or_create(
        line=line,
        reason=Refund.Reason.UNDELIVERABLE,
        defaults={
            "amount_minor": line.amount_minor,
            "currency": line.order.currency,
            "note": line.state_reason,
            "idempotency_key": f"lectern-refund-undeliverable-{line.pk}",
        },
    )
    return refund


def send_refund(refund: Refund) -> None:
    """Ask Stripe for a refund that was written before. Raises StripeUnreachable to be tried again with the same key."""
    if refund.stripe_refund_id:
        return
    order = refund.line.order
    payment = order.payments.filter(status=Payment.Status.SUCCEEDED).first()
    if payment is None or not payment.stripe_payment_intent_id:
        raise WorkParked("The order has no payment that could be refunded.")
    # A retry may come after Stripe forgot the key, so what exists is looked for before asking again.
    found = (
        gateway.find_refund(payment_intent_id=payment.stripe_payment_intent_id, refund_key=refund.idempotency_key)
        if refund.attempts > 1
        else None
    )
    try:
        answer = found or gateway.create_refund(
            payment_intent_id=payment.stripe_payment_intent_id,
            amount=refund.amount,
            order_number=order.number,
            refund_key=refund.idempotency_key,
            idempotency_key=refund.idempotency_key,
        )
    except gateway.StripeRefused as refusal:
        raise WorkParked(f"Stripe refused: {refusal}") from refusal
    record_refund(refund_id=refund.pk, stripe_refund_id=answer.id, stripe_status=answer.status)


def record_refund(*, refund_id: int, stripe_refund_id: str, stripe_status: str) -> bool:
    """Take in what Stripe says about a refund of ours; False if it says nothing new.

    A succeeded refund may still fail later (the card was closed), a failed one never succeeds: late news of an
    earlier state changes nothing.
    """
    status = _STATUS_OF_STRIPE.get(stripe_status, Refund.Status.PENDING)
    may_come_after = {
        Refund.Status.PENDING: [Refund.Status.REQUESTED],
        Refund.Status.SUCCEEDED: [Refund.Status.REQUESTED, Refund.Status.PENDING],
        Refund.Status.FAILED: [Refund.Status.REQUESTED, Refund.Status.PENDING, Refund.Status.SUCCEEDED],
    }[status]
    with transaction.atomic():
        changed = (
            Refund.objects.filter(Q(stripe_refund_id=None) | Q(stripe_refund_id=stripe_refund_id))
            .filter(pk=refund_id, status__in=may_come_after)
            .update(status=status, stripe_refund_id=stripe_refund_id)
        )
        if changed and status == Refund.Status.FAILED:
            raise_alert(
                key=f"refund-failed:{refund_id}",
                title="A refund failed at Stripe: the student has not got the money",
                detail={"refund": stripe_refund_id, "at": timezone.now()},
            )
    return bool(changed)


def find_refund_by_stripe(*, stripe_refund_id: str, refund_key: str) -> Refund | None:
    """Our record of a refund Stripe tells about, by its id or by the key we sent along; None if made elsewhere."""
    return Refund.objects.filter(
        Q(stripe_refund_id=stripe_refund_id) | Q(stripe_refund_id=None, idempotency_key=refund_key or "-")
    ).first()
