"""Send refunds to Stripe, once each, whatever is repeated or killed."""

from __future__ import annotations

from jobs.models import WorkParked
from payments import gateway
from payments.models import Refund
from payments.refunds.recording import record_refund, record_refusal
from payments.stripe_api import BALANCE_TOO_LOW, BUSY, NoSuchObject, StripeMisconfigured, StripeRefused
from payments.stripe_objects import StripeRefund

# Refusals that are not final: the balance is too low for now, or Stripe is busy with the charge.
_MAY_SUCCEED_LATER = BALANCE_TOO_LOW | BUSY
# Stripe's code for a charge that was refunded in full, for example in the Dashboard.
_ALREADY_REFUNDED = "charge_already_refunded"


def send_refund(refund: Refund) -> None:
    """Make sure that the refund exists at Stripe exactly once, and record its state. Call outside transactions.

    Always searches before it creates: Stripe forgets an idempotency key after 24 hours, and a retry may come later than
    that. Raises StripeUnreachable if it remains unknown whether the refund exists: nothing is released, and a retry
    searches again.
    """
    refund.refresh_from_db(fields=["status"])
    if refund.status != Refund.Status.REQUESTED:
        return
    intent_id = refund.payment.stripe_payment_intent_id
    if not intent_id:
        raise WorkParked("The payment has no payment intent that could be refunded.")
    answer = _find(refund, intent_id) or _create(refund, intent_id)
    if answer is not None:
        record_refund(answer)


def _find(refund: Refund, intent_id: str) -> StripeRefund | None:
    try:
        return gateway.find_refund(payment_intent_id=intent_id, refund_key=refund.idempotency_key)
    except StripeRefused as refusal:
        raise WorkParked(f"Stripe refused to list the refunds: {refusal}") from refusal


def _create(refund: Refund, intent_id: str) -> StripeRefund | None:
    """Create the refund at Stripe; None if Stripe refused it for good, which is recorded."""
    try:
        return gateway.create_refund(
            payment_intent_id=intent_id,
            amount=refund.amount,
            order_number=refund.payment.order.number,
            refund_key=refund.idempotency_key,
            idempotency_key=refund.idempotency_key,
        )
    except (StripeMisconfigured, NoSuchObject) as problem:
        # Our API key or mode is wrong, which says nothing about the refund.
        raise WorkParked(f"Stripe refused because of our set-up: {problem}") from problem
    except StripeRefused as refusal:
        if refusal.code in _MAY_SUCCEED_LATER:
            raise
        # A worker whose claim expired may have created it in the meantime, which would explain the refusal.
        found = _find(refund, intent_id)
        if found is None:
            record_refusal(
                refund, f"{refusal.code} {refusal}".strip(), was_refunded_before=refusal.code == _ALREADY_REFUNDED
            )
        return found
