"""Open a payment's page at Stripe, only once however often that is tried, and close it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import assert_never

import structlog
from django.db.models import Case, Q, URLField, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from payments import gateway
from payments.customers import CustomerErased, customer_of, record_if_deleted
from payments.models import Order, Payment
from payments.orders import cancel_order
from payments.outcomes import sync_with_stripe
from payments.own_account import is_key_known_as_ours
from payments.saved_cards.charging import charge_card, close_intent
from payments.stripe_api import (
    KeyUsedDifferently,
    NoSuchObject,
    StripeMisconfigured,
    StripeRefused,
    StripeUnreachable,
    waiting_for_another,
)
from payments.stripe_objects import CheckoutSession

log = structlog.get_logger()

# The request that wrote the payment gets this long to open its session before a worker does it instead.
TIME_FOR_THE_REQUEST = timedelta(seconds=20)
# Stripe expires a session a little after its time. Until then it reports the session as open.
STRIPE_IS_LATE = timedelta(seconds=30)
# Stripe refuses to open a page that would expire sooner (docs: Checkout Session, expires_at).
_SHORTEST_LIFE = timedelta(minutes=30)
# Stripe forgets idempotency keys after 24 hours; from well before that we only search.
_KEY_IS_REMEMBERED = timedelta(hours=23)
# Sessions carry Stripe's time: if its clock is behind ours, the session looks older than the payment.
_CLOCKS_MAY_DIFFER = timedelta(hours=1)
_WAIT_FOR_OTHER_CLICK_SECONDS = 3.0


class AlreadyPaid(Exception):
    """The order was paid in the meantime."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.number)
        self.order = order


class PaymentOver(Exception):
    """The payment can no longer be paid: its session expired or was refused in the meantime."""


class CardDeclined(Exception):
    """A saved card was not charged, and the order is cancelled. The message is for the student."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(payment.failure_message)
        self.order = payment.order


class NeverOpened(Exception):
    """The payment has no page at Stripe, and too little time is left to open one. Another payment can replace it."""


def payment_of_session(session_id: str, *, user_id: int | None) -> Payment | None:
    """A user's own payment, with its order, by Stripe's id of its session or intent; None for any other text."""
    if not session_id or "\0" in session_id:
        return None
    is_named = Q(stripe_session_id=session_id) | Q(stripe_payment_intent_id=session_id)
    return Payment.objects.select_related("order").filter(is_named, order__user__pk=user_id or 0).first()


def open_session(payment_id: int, *, is_student_here: bool = True) -> Payment:
    """The payment with its session open at Stripe, created now unless it was before. Call outside transactions.

    A saved card is charged instead: the payment has succeeded then, or its page is the bank's.

    Raises StripeUnreachable if Stripe's answer did not arrive: a worker or the next click repeats the call with the
    same key; likewise StripeMisconfigured. Raises StripeRefused or CardDeclined after cancelling the order, AlreadyPaid,
    PaymentOver, or NeverOpened.
    """
    payment = _wait_for_other_click(payment_id)
    if payment.status == Payment.Status.CREATED:
        payment = _create(payment, is_student_here=is_student_here)
        if payment.charges_card and payment.status in (Payment.Status.SUCCEEDED, Payment.Status.PROCESSING):
            return payment
    match Payment.Status(payment.status):
        case Payment.Status.CREATED | Payment.Status.OPEN:
            return payment
        case Payment.Status.SUCCEEDED | Payment.Status.PROCESSING:
            raise AlreadyPaid(payment.order)
        case Payment.Status.FAILED | Payment.Status.EXPIRED:
            if payment.ended_at is None:
                return payment  # a card was declined, but the page is still open for another
            if payment.charges_card and payment.failure_message:
                raise CardDeclined(payment)
            raise PaymentOver
        case never:
            assert_never(never)


def _wait_for_other_click(payment_id: int) -> Payment:
    """If another click is still waiting for Stripe to create the session, wait for that answer before going on."""
    payment = _read(payment_id)
    if payment.status != Payment.Status.CREATED or _is_first_to_call(payment_id):
        return payment
    with waiting_for_another(at_most=_WAIT_FOR_OTHER_CLICK_SECONDS) as stop_at:
        while payment.status == Payment.Status.CREATED and time.monotonic() < stop_at:
            time.sleep(0.1)
            payment = _read(payment_id)
            if _is_first_to_call(payment_id):
                break
    return payment


def _read(payment_id: int) -> Payment:
    return Payment.objects.select_related("order__user").get(pk=payment_id)


def _is_first_to_call(payment_id: int) -> bool:
    return Payment.objects.filter(pk=payment_id, asked_at=None).update(asked_at=timezone.now()) == 1


def _create(payment: Payment, *, is_student_here: bool) -> Payment:
    try:
        if payment.charges_card:
            charge_card(payment, is_student_here=is_student_here)
            return _read(payment.pk)
        session = _find_or_create(payment)
    except (StripeUnreachable, StripeMisconfigured):
        # The next click must not wait for an answer that will not arrive.
        Payment.objects.filter(pk=payment.pk).update(asked_at=None)
        raise
    if session is None:
        raise NeverOpened(str(payment))
    payment = _store_session(payment, session)
    if not session.is_open:
        # Found long after it was created: paid or expired in the meantime.
        sync_with_stripe(payment)
        payment = _read(payment.pk)
    return payment


def _find_or_create(payment: Payment) -> CheckoutSession | None:
    """The payment's session, created before or now; None if there is none and none can be created any more."""
    if not payment.session_request or timezone.now() - payment.created_at > _KEY_IS_REMEMBERED:
        return _find(payment)
    _name_buyer(payment)
    try:
        # If Stripe created a session with this key before, it answers with that one, so a lost reply needs no search.
        return gateway.create_session(payment.session_request, idempotency_key=payment.idempotency_key)
    except KeyUsedDifferently:
        log.exception("session_key_used_differently", order=payment.order.number)
        return _find(payment)
    except StripeMisconfigured:
        raise
    except StripeRefused as refusal:
        if _is_too_late(payment, refusal) or record_if_deleted(payment.session_request.get("customer", ""), refusal):
            return None  # another payment of the order gets a page
        log.error("session_refused", order=payment.order.number, code=refusal.code, problem=str(refusal))  # noqa: TRY400
        cancel_order(
            order_id=payment.order_id, reason=f"Stripe refused: {refusal}"[:200], payment_status=Payment.Status.FAILED
        )
        raise


def _name_buyer(payment: Payment) -> None:
    """Name the student's customer in the request, which is stored before it is sent: it must stay the same from then on.

    Requests that are older than customers have the address instead, as have those of a person who cannot be a customer.
    """
    if payment.session_request.keys() & {"customer", "customer_email"}:
        return
    try:
        buyer = {"customer": customer_of(payment.order.user).stripe_customer_id}
    except StripeMisconfigured:
        raise
    except (CustomerErased, StripeRefused):
        # For example an address that Stripe does not take; then it refuses the page as well, and says why.
        buyer = {"customer_email": payment.order.user.email}
        for of_customers in ("saved_payment_method_options", "customer_update"):
            payment.session_request.pop(of_customers, None)
    request = {**payment.session_request, **buyer}
    # Another process may have named the same buyer; the customer deleted since then would be another.
    Payment.objects.filter(pk=payment.pk).exclude(session_request__has_any_keys=["customer", "customer_email"]).update(
        session_request=request
    )
    payment.session_request = Payment.objects.values_list("session_request", flat=True).get(pk=payment.pk)


def _find(payment: Payment) -> CheckoutSession | None:
    return gateway.find_session(reference=str(payment.reference), created_from=payment.created_at - _CLOCKS_MAY_DIFFER)


def _is_too_late(payment: Payment, refusal: StripeRefused) -> bool:
    """Whether Stripe refused because time passed since the request was frozen. Otherwise one of the clocks is wrong."""
    return refusal.param == "expires_at" and payment.expires_at - timezone.now() < _SHORTEST_LIFE


def _store_session(payment: Payment, session: CheckoutSession) -> Payment:
    """Store Stripe's answer, unless a webhook was faster and has changed the payment's status."""
    # The follow-up has nothing to do until the session ends. A worker that holds the row now reschedules it itself.
    next_look = payment.expires_at + STRIPE_IS_LATE
    is_unknown, is_new = Q(stripe_session_id=None), Q(status=Payment.Status.CREATED)
    may_wait = Q(state=Payment.State.WAITING, close_requested_at=None)
    Payment.objects.filter(pk=payment.pk).update(
        stripe_session_id=Coalesce("stripe_session_id", Value(session.id)),
        session_url=Case(When(is_unknown, then=Value(session.url, URLField())), default="session_url"),
        status=Case(When(is_new, then=Value(Payment.Status.OPEN)), default="status"),
        run_after=Case(When(may_wait, then=Value(next_look)), default="run_after"),
    )
    return _read(payment.pk)


def close_session(payment_id: int, *, reason: str) -> None:
    """Make sure that this payment can no longer be paid, then cancel its order. Call outside transactions.

    Raises AlreadyPaid if the student paid first, StripeUnreachable if that remains unknown, or StripeRefused.
    """
    if (payment := _read(payment_id)).charges_card:
        _close_charge(payment, reason=reason)
        return
    try:
        payment = open_session(payment_id)  # an interrupted one may exist at Stripe: get its id first
        _expire(payment)
    except PaymentOver:
        return
    except NeverOpened:
        pass
    except StripeRefused:
        if Payment.objects.filter(pk=payment_id, ended_at=None).exists():
            raise
        return  # refused when it was opened, which cancelled the order
    order_id = Payment.objects.values_list("order_id", flat=True).get(pk=payment_id)
    cancel_order(order_id=order_id, reason=reason, payment_status=Payment.Status.EXPIRED)


def _close_charge(payment: Payment, *, reason: str) -> None:
    if payment.ended_at is None:
        close_intent(payment)
        payment = _read(payment.pk)
    if payment.order.state in (Order.State.COMPLETED, Order.State.PAYMENT_PENDING):
        raise AlreadyPaid(payment.order)
    cancel_order(order_id=payment.order_id, reason=reason, payment_status=Payment.Status.EXPIRED)


def _expire(payment: Payment) -> None:
    """Close the page at Stripe. Raises PaymentOver if it had expired before, otherwise as close_session does."""
    try:
        gateway.expire_session(payment.stripe_session_id or "")
    except NoSuchObject:
        # A session that Stripe does not know cannot be paid, unless the key is of another account.
        is_key_known_as_ours()
        log.warning("session_unknown", order=payment.order.number, session=payment.stripe_session_id)
    except StripeRefused as refusal:
        # No longer open: paid or expired a moment ago. The session's state at Stripe decides.
        sync_with_stripe(payment)
        payment.refresh_from_db(fields=["ended_at"])
        payment.order.refresh_from_db()
        if payment.order.state in (Order.State.COMPLETED, Order.State.PAYMENT_PENDING):
            raise AlreadyPaid(payment.order) from None
        if payment.ended_at is None:
            raise StripeUnreachable(f"the session was not closed, but has not ended: {refusal}") from refusal
        raise PaymentOver from None
