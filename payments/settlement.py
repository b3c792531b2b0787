"""Settlement: the only way an order becomes paid and delivered.

Webhooks, the payment's follow-up and the looks that waiting pages request all call it with what Stripe reported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

import structlog
from django.db import transaction
from django.utils import timezone

from notifications.outbox import mails_gathered
from payments.announcements import announce_paid_order
from payments.cart import remove_bought_lines, remove_same_items
from payments.charges import request_charge_lookup
from payments.contracts import CannotDeliver, SoldOut
from payments.discounts.cart_codes import remove_used_codes
from payments.discounts.holds import confirm_redemptions
from payments.earnings.books import book_sale, book_second_payment
from payments.evidence import (
    ConfirmationNeeded,
    PaymentDisagrees,
    PaymentEvidence,
    intent_used_once,
    lock_order_of,
    refuse_disagreement,
    refuse_other_domains,
)
from payments.gifts.giving import open_gifts
from payments.mails import queue_cannot_deliver_mails, queue_paid_twice_mails, queue_payment_confirmed
from payments.models import Order, OrderLine, Payment
from payments.models.order import lines_in_lock_order
from payments.refunds.requests import refund_second_payment, request_refund_of_undeliverable
from payments.registry import handler_for
from payments.tax.by_stripe import freeze_tax
from webhooks.announcing import announcements_gathered

log = structlog.get_logger()

# Banks usually confirm a debit within this time; the places stay held for as long.
_PENDING_HOLD = timedelta(days=14)


class Settlement(Enum):
    """What a settlement did."""

    SETTLED = "settled"
    ALREADY_SETTLED = "payment_already_processed"
    REFUNDED = "the order was paid before; refunded"


def settle_payment(evidence: PaymentEvidence, *, happened_at: datetime | None = None) -> tuple[Order, Settlement]:
    """Mark the order paid and deliver its lines, once. All of it happens in one transaction, or none of it.

    `happened_at` is when the payment was made, for one that is reported long after that; the books are dated so.
    Raises PaymentUnknown, SessionNotStoredYet, ConfirmationNeeded, PaymentDisagrees, or registry.UnknownDomain.
    """
    with intent_used_once(), transaction.atomic(), mails_gathered(), announcements_gathered():
        order, payment = lock_order_of(evidence)
        refuse_disagreement(evidence, order, payment)
        if order.state == Order.State.COMPLETED:
            return order, _refund_if_second(order, payment, evidence)
        lines = lines_in_lock_order(order)
        refuse_other_domains(evidence.metadata, lines)
        _settle_tax(order, payment, lines, evidence)
        _mark_paid(order, payment, intent_id=evidence.payment_intent_id)
        _deliver_all(order, lines, happened_at=happened_at)
    return order, Settlement.SETTLED


def _settle_tax(order: Order, payment: Payment, lines: Sequence[OrderLine], evidence: PaymentEvidence) -> None:
    """Freeze the tax of an order that Stripe taxes. Raises ConfirmationNeeded if its page knows what was not reported."""
    if not order.is_taxed_by_stripe:
        return
    if evidence.taxes is None and payment.stripe_session_id:
        raise ConfirmationNeeded(payment)
    freeze_tax(order, lines, evidence.taxes)


def settle_free_order(order: Order, payment: Payment) -> None:
    """Deliver an order that costs nothing: Stripe has no part in it. Call within the checkout that wrote the order.

    The payment of zero is what pages and receipts look for, as in orders that Stripe was paid for.
    """
    if order.total_minor:
        raise ValueError("only an order that costs nothing is delivered without a payment")
    with mails_gathered(), announcements_gathered():
        _mark_paid(order, payment, intent_id="")
        _deliver_all(order, lines_in_lock_order(order))


def settle_invoiced_order(order: Order, payment: Payment, *, intent_id: str, happened_at: datetime | None) -> None:
    """Deliver an order that a paid invoice made. Call within the transaction that wrote the order.

    `happened_at` is when the invoice was paid, if that was long ago.
    """
    with intent_used_once(), mails_gathered():
        _mark_paid(order, payment, intent_id=intent_id)
        _deliver_all(order, lines_in_lock_order(order), happened_at=happened_at)


def _deliver_all(order: Order, lines: Sequence[OrderLine], *, happened_at: datetime | None = None) -> None:
    """Deliver the lines of an order that was just paid, book it, and mail everyone concerned."""
    confirm_redemptions(order)
    undeliverable = [line for line in lines if not _deliver(line)]
    delivered = [line for line in lines if line not in undeliverable]
    _mark_fulfilled(delivered)
    open_gifts(order, delivered)
    book_sale(order, delivered=delivered, undeliverable=undeliverable, happened_at=happened_at)
    request_refund_of_undeliverable(order, undeliverable)
    _take_from_cart(order, lines)
    queue_payment_confirmed(order, lines)
    queue_cannot_deliver_mails(order, undeliverable)
    announce_paid_order(order, lines)
    log.info("order_settled", order=order.number, undeliverable=len(undeliverable))


def _take_from_cart(order: Order, lines: Sequence[OrderLine]) -> None:
    remove_bought_lines([line.cart_line_id for line in lines if line.cart_line_id])
    remove_used_codes(order)
    if order.cart and order.cart.payer_id:
        remove_same_items(order)


def record_processing(evidence: PaymentEvidence) -> tuple[Order, Settlement]:
    """The student has completed the page but the money has not arrived: keep the places, deliver nothing.

    Raises as settle_payment does.
    """
    with intent_used_once(), transaction.atomic():
        order, payment = lock_order_of(evidence)
        refuse_disagreement(evidence, order, payment)
        if order.state != Order.State.AWAITING_PAYMENT:
            return order, Settlement.ALREADY_SETTLED
        lines = lines_in_lock_order(order)
        refuse_other_domains(evidence.metadata, lines)
        order.state = Order.State.PAYMENT_PENDING
        order.save(update_fields=["state"])
        payment.status = Payment.Status.PROCESSING
        payment.ended_at = timezone.now()
        payment.failure_message = ""
        payment.stripe_payment_intent_id = evidence.payment_intent_id or payment.stripe_payment_intent_id
        payment.save(update_fields=["status", "ended_at", "failure_message", "stripe_payment_intent_id"])
        for line in lines:
            _keep_place(line)
        _take_from_cart(order, lines)
    return order, Settlement.SETTLED


def _mark_paid(order: Order, payment: Payment, *, intent_id: str) -> None:
    order.state = Order.State.COMPLETED
    order.paid_at = timezone.now()
    order.cancelled_at = None
    order.cancel_reason = ""
    order.save(update_fields=["state", "paid_at", "cancelled_at", "cancel_reason"])
    payment.status = Payment.Status.SUCCEEDED
    payment.succeeded_at = order.paid_at
    payment.ended_at = payment.ended_at or order.paid_at
    payment.failure_message = ""
    payment.stripe_payment_intent_id = intent_id or payment.stripe_payment_intent_id
    payment.save(update_fields=["status", "succeeded_at", "ended_at", "failure_message", "stripe_payment_intent_id"])
    request_charge_lookup(payment)


def _refund_if_second(order: Order, payment: Payment, evidence: PaymentEvidence) -> Settlement:
    """An order is paid once. Another payment of it is refunded automatically, and student and staff are notified."""
    if payment.status == Payment.Status.SUCCEEDED:
        return Settlement.ALREADY_SETTLED
    if not evidence.payment_intent_id:
        raise PaymentDisagrees("The order was paid through another payment, and this one names no intent to refund.")
    payment.status = Payment.Status.FAILED
    payment.ended_at = payment.ended_at or timezone.now()
    payment.failure_message = "The order had been paid already. This payment is refunded."
    payment.stripe_payment_intent_id = evidence.payment_intent_id
    payment.save(update_fields=["status", "ended_at", "failure_message", "stripe_payment_intent_id"])
    book_second_payment(payment)
    request_charge_lookup(payment)
    refund_second_payment(payment)
    queue_paid_twice_mails(order, payment)
    return Settlement.REFUNDED


def _keep_place(line: OrderLine) -> None:
    """Extend the hold until the bank has answered. If the place is gone already, settlement refunds the line later."""
    with contextlib.suppress(SoldOut), transaction.atomic():
        handler_for(line.domain).reserve(line.as_sold(), timezone.now() + _PENDING_HOLD)


def _deliver(line: OrderLine) -> bool:
    """Deliver one line; False if that is impossible: only this line is refunded, the others are delivered."""
    try:
        with transaction.atomic(), mails_gathered(), announcements_gathered():
            handler, sold = handler_for(line.domain), line.as_sold()
            handler.keep_gift(sold) if line.is_gift else handler.fulfil(sold)
    except CannotDeliver as reason:
        line.state = OrderLine.State.UNDELIVERABLE
        line.state_reason = str(reason)[:300]
        line.save(update_fields=["state", "state_reason"])
        return False
    return True


def _mark_fulfilled(lines: list[OrderLine]) -> None:
    now = timezone.now()
    for line in lines:
        line.state, line.fulfilled_at = OrderLine.State.FULFILLED, now
    OrderLine.objects.filter(pk__in=[line.pk for line in lines]).update(
        state=OrderLine.State.FULFILLED, fulfilled_at=now
    )
