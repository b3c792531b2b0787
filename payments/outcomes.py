"""Record how a payment ended, and ask Stripe for it if no webhook has reported it."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from jobs.messages import Hint
from jobs.wakeups import send_soon, wake_after_commit
from payments import gateway
from payments.cart import lock_cart_of, restore_cart
from payments.evidence import PaymentDisagrees, PaymentEvidence
from payments.intent_outcomes import record_intent
from payments.mails import queue_card_declined, queue_debit_refused
from payments.models import Order, Payment
from payments.orders import cancel_order
from payments.saved_cards import gateway as saved_cards
from payments.settlement import record_processing, settle_payment
from payments.stripe_api import StripeRefused, StripeUnreachable

log = structlog.get_logger()

# The pauses between calls to Stripe for one payment, shared by all pages that wait for it and by all processes.
_SECONDS_BETWEEN_LOOKS = (2, 4, 8, 16, 32, 60)
# A student who returns from Stripe's page must not see a state from before they paid.
_SECONDS_BEFORE_A_RETURN = 5


def take_look(payment: Payment, *, has_returned: bool = False) -> bool:
    """Whether Stripe may be called for the payment's state now; True is recorded, and all pages wait before the next."""
    looks = 0 if has_returned else payment.looks
    pause = _SECONDS_BEFORE_A_RETURN if has_returned else _SECONDS_BETWEEN_LOOKS[looks - 1] if looks else 0
    is_time = Q(looked_at=None) | Q(looked_at__lte=Now() - timedelta(seconds=pause))
    # If two pages read the same count, the first changes it, so the second finds no row to update.
    is_latest = Q() if has_returned else Q(looks=payment.looks)
    next_count = min(looks + 1, len(_SECONDS_BETWEEN_LOOKS))
    this_payment = Payment.objects.filter(pk=payment.pk)
    is_taken = bool(this_payment.filter(is_time, is_latest).update(looked_at=Now(), looks=next_count))
    if has_returned and not is_taken:
        # Another page has just had a look. The next one comes soon all the same.
        this_payment.update(looks=next_count)
    return is_taken


def request_look(payment: Payment, *, has_returned: bool = False) -> None:
    """If no webhook has reported the outcome of a payment, have a worker ask Stripe. For pages that wait for it.

    The page itself must not wait for Stripe: it shows the outcome when it polls again. If the message to the worker is
    lost, a later poll sends another.
    """
    is_known = payment.stripe_payment_intent_id if payment.charges_card else payment.stripe_session_id
    if payment.order.state != Order.State.AWAITING_PAYMENT or not is_known:
        return
    if take_look(payment, has_returned=has_returned):
        look = Hint("payments.look_at_stripe", (str(payment.pk),), queue="looks", expires=60, soft_time_limit=20)
        send_soon(look)


def look_at_stripe(payment_id: int) -> None:
    """Sync a payment whose order still awaits it. A silent Stripe is not an error: the page keeps polling."""
    payment = Payment.objects.select_related("order").filter(pk=payment_id).first()
    if payment is None or payment.order.state != Order.State.AWAITING_PAYMENT:
        return
    try:
        sync_with_stripe(payment)
    except (StripeUnreachable, StripeRefused, PaymentDisagrees) as problem:
        log.warning("payment_not_synced", order=payment.order.number, problem=repr(problem))


def sync_with_stripe(payment: Payment) -> None:
    """Retrieve session or intent and bring the order to the same state. Call outside transactions.

    Used by looks, the follow-up and sessions.py; all settle through the one settlement function. Raises
    StripeUnreachable, StripeRefused, and what settle_payment raises.
    """
    if payment.charges_card:
        record_intent(payment, saved_cards.retrieve_intent(payment.stripe_payment_intent_id or ""))
        return
    session = gateway.retrieve_session(payment.stripe_session_id or "")
    if session.is_paid:
        settle_payment(PaymentEvidence.from_session(session))
    elif session.is_refused:
        record_refused_debit(payment)
    elif session.is_processing:
        record_processing(PaymentEvidence.from_session(session))
    elif session.status == "expired":
        record_expiry(payment)


def request_follow_up(payment: Payment) -> None:
    """Have a worker ask Stripe about a payment that has not ended, now."""
    # This ends the claim of a worker that holds the row, so that it cannot postpone what it did not see.
    finished = When(state__in=[Payment.State.DONE, Payment.State.PARKED], then=Value(Payment.State.WAITING))
    Payment.objects.filter(pk=payment.pk, ended_at=None).update(
        run_after=Now(), attempts=0, state=Case(finished, default="state"), finished_at=None
    )
    wake_after_commit(Payment)


def record_expiry(payment: Payment) -> bool:
    """Cancel the order, since its page can no longer be paid. False if the order was paid or cancelled before.

    A student whose card was declined there is mailed now that they have left without paying. Before, they may still be
    at the page and pay with another card.
    """
    with transaction.atomic():
        is_cancelled = cancel_order(
            order_id=payment.order_id, reason="The payment page expired.", payment_status=Payment.Status.EXPIRED
        )
        if is_cancelled:
            # Read again: the decline may have been recorded after the caller read the payment.
            payment = Payment.objects.select_related("order__user").get(pk=payment.pk)
            if payment.failure_message:
                queue_card_declined(payment)
    if not is_cancelled:
        # The order was decided before; if this payment's page was still open, it has expired all the same.
        Payment.objects.filter(pk=payment.pk, ended_at=None).update(status=Payment.Status.EXPIRED, ended_at=Now())
    return is_cancelled


def record_refused_debit(payment: Payment) -> bool:
    """The bank refused after days: cancel the order, restore the cart and mail the student. False if done before."""
    with transaction.atomic():
        # Before the order, in the same sequence as checkout and settlement.
        lock_cart_of(payment.order.user_id)
        is_cancelled = cancel_order(
            order_id=payment.order_id, reason="The bank refused.", payment_status=Payment.Status.FAILED
        )
        if is_cancelled:
            queue_debit_refused(payment, left_out=restore_cart(payment.order))
    return is_cancelled
