"""How a payment ended, asked of Stripe where no webhook has reported it, and what a refusal means for the order."""

from __future__ import annotations

from django.db import transaction

from payments import gateway
from payments.cart import restore_cart
from payments.mails import queue_payment_failed
from payments.models import Payment
from payments.orders import cancel_order
from payments.settlement import PaymentEvidence, record_processing, settle_payment


def sync_with_stripe(payment: Payment) -> None:
    """Ask Stripe how the session stands and bring the order to the same state. Call outside transactions.

    Used by pages and by the payment's own follow-up: all settle through the one settlement function. Raises
    gateway.StripeUnreachable, gateway.StripeRefused, and what settle_payment raises.
    """
    session = gateway.retrieve_session(payment.stripe_session_id or "")
    if session.is_paid:
        settle_payment(PaymentEvidence.from_session(session))
    elif session.is_refused:
        record_refused_debit(payment)
    elif session.is_processing:
        record_processing(PaymentEvidence.from_session(session))
    elif session.status == "expired":
        record_expiry(payment)


def record_expiry(payment: Payment) -> bool:
    """The page can no longer be paid: free the places. False if the order was paid, or let go before."""
    return cancel_order(
        order_id=payment.order_id, reason="The payment page expired.", payment_status=Payment.Status.EXPIRED
    )


def record_refused_debit(payment: Payment) -> bool:
    """The bank said no after days: free the places, give the cart back, tell the student. False if that was done."""
    with transaction.atomic():
        is_cancelled = cancel_order(
            order_id=payment.order_id, reason="The bank refused.", payment_status=Payment.Status.FAILED
        )
        if is_cancelled:
            restore_cart(payment.order)
            queue_payment_failed(payment.order, message="Your bank did not honour the debit.")
    return is_cancelled
