"""Find the payment that a refund, a dispute or an early fraud warning at Stripe is about, and lock its order."""

from __future__ import annotations

import uuid

from payments.models import Order, Payment


class PaymentNotSettledYet(Exception):
    """The payment is ours but not recorded as paid yet. A retry records what Stripe reports of it once it is."""


def find_payment(*, payment_intent_id: str, charge_id: str, payment_reference: str) -> Payment | None:
    """The payment, by the ids stored with it; None if it is not ours. Raises PaymentNotSettledYet.

    The reference is in metadata, which people can edit: it only shows that the payment's ids are not stored yet.
    """
    by_ids = None
    # An empty id would match the payments whose ids are not stored yet.
    if payment_intent_id:
        by_ids = Payment.objects.filter(stripe_payment_intent_id=payment_intent_id).first()
    if by_ids is None and charge_id:
        by_ids = Payment.objects.filter(stripe_charge_id=charge_id).first()
    if by_ids is not None:
        return by_ids
    try:
        reference = uuid.UUID(payment_reference)
    except ValueError:
        return None
    if Payment.objects.filter(reference=reference, stripe_payment_intent_id=None).exists():
        raise PaymentNotSettledYet(str(reference))
    return None


def lock_order_of(payment: Payment) -> Order:
    """Lock the payment's order and read the payment under that lock. Raises PaymentNotSettledYet."""
    order = Order.objects.select_for_update(of=("self",)).select_related("user").get(pk=payment.order_id)
    payment.refresh_from_db()
    payment.order = order
    if not order.is_paid:
        raise PaymentNotSettledYet(order.number)
    return order
