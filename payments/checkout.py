"""From a cart to a payment page at Stripe: one transaction, one call to Stripe, one update with the answer."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from payments import sessions, switches
from payments.deadlocks import retried_after_deadlock
from payments.discounts.holds import CodeNotUsable
from payments.models import Cart, Order, Payment, PaymentMethod
from payments.orders import reserve_lines, write_order
from payments.pricing import price_cart
from payments.return_addresses import ReturnAddresses, lead_home, own_addresses
from payments.saved_cards.charging import build_intent_request
from payments.session_requests import build_session_request
from payments.settlement import settle_free_order
from payments.superseding import payable_payment_of

# A session with less time left than this is replaced, so that it does not expire while a student types a card number.
_LEAST_TIME_LEFT = timedelta(minutes=2)
_PAYMENTS_PER_MINUTE = 10
# A hold lasts a little longer than the session that pays for it, because Stripe's clock may differ from ours.
HOLD_MARGIN = timedelta(minutes=2)


class CartEmpty(Exception):
    """There is nothing to pay. The message is shown to the student."""

    def __init__(self) -> None:
        super().__init__("Your cart is empty.")


class CartChanged(Exception):
    """A price or the availability of a line is no longer what the student agreed to. Show the cart and ask again."""

    def __init__(self, what: str = "Something in your cart changed.") -> None:
        super().__init__(f"{what} Please look your cart over before you pay.")


class TotalRefused(Exception):
    """No card can be charged the total of the cart. The message says why and what to do, for the student."""


class TooManyPayments(Exception):
    """The student has started too many payments within a minute. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many payments. Please wait a moment.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A saved card of the student's own to pay with, and where their bank sends them after it has asked them."""

    method: PaymentMethod
    return_url: str


# How an order is paid: at once with a card, or on a page that leads back to these addresses.
Way = SavedCard | ReturnAddresses


@dataclass(frozen=True, slots=True)
class _Payable:
    payment_id: int


@dataclass(frozen=True, slots=True)
class _Settled:
    """The payment of an order that costs nothing, which is delivered."""

    payment_id: int


@dataclass(frozen=True, slots=True)
class _Superseded:
    """The payment of an earlier state of the cart, whose page must be closed before a new one is opened."""

    payment_id: int


def start_checkout(
    *,
    user: User,
    cart: Cart | None,
    agreed_digest: str,
    way: Way | None = None,
    record: Callable[[int], None] | None = None,
) -> Payment:
    """The payment with the page on which the student pays this cart. A repeated call returns the same one.

    A cart that costs nothing is delivered at once: its payment has succeeded and has no page. So has that of a saved
    card, unless the bank asks the student, on a page of its own.

    `way` is a saved card or where Stripe's page leads back to, this site by default. `record` is called with the
    payment's id in the transaction that chooses or writes the payment.

    Raises CheckoutClosed, CartEmpty, CartChanged, TotalRefused, LineSoldOut, TooManyPayments, sessions.AlreadyPaid,
    sessions.CardDeclined, StripeUnreachable (nothing is lost; the student can try again) or StripeRefused (the order is
    cancelled).
    """
    if cart is None:
        raise CartEmpty
    never_opened: int | None = None
    for _ in range(3):  # one superseded order is usual; more mean that the student's own requests race each other
        prepared = _prepare(
            user=user,
            cart=cart,
            agreed_digest=agreed_digest,
            never_opened=never_opened,
            way=way or own_addresses(),
            record=record,
        )
        if isinstance(prepared, _Superseded):
            sessions.close_session(prepared.payment_id, reason="The cart was changed.")
            continue
        if isinstance(prepared, _Settled):
            return Payment.objects.select_related("order").get(pk=prepared.payment_id)
        try:
            return sessions.open_session(prepared.payment_id)
        except sessions.PaymentOver as over:
            if isinstance(way, SavedCard):
                # Closed in another tab, perhaps because the student does not want to pay: never charged by itself.
                raise CartChanged("The payment was stopped.") from over
        except sessions.NeverOpened:
            never_opened = prepared.payment_id
    raise CartChanged


@retried_after_deadlock
@transaction.atomic
def _prepare(  # noqa: PLR0913  # what start_checkout takes, and what it learned
    *,
    user: User,
    cart: Cart,
    agreed_digest: str,
    never_opened: int | None = None,
    way: Way | None = None,
    record: Callable[[int], None] | None = None,
) -> _Payable | _Settled | _Superseded:
    """The checkout transaction, at whose end the payment is recorded for whom asked."""
    prepared = _find_or_write(user, cart, agreed_digest, never_opened, way or own_addresses())
    if record and not isinstance(prepared, _Superseded):
        record(prepared.payment_id)
    return prepared


def _find_or_write(
    user: User, cart: Cart, agreed_digest: str, never_opened: int | None, way: Way
) -> _Payable | _Settled | _Superseded:
    """Find the order that exists, or write one and hold its places.

    `never_opened` is a payment whose page Stripe has just refused because too little time was left: its order gets
    another payment.
    """
    cart = Cart.objects.select_for_update().get(pk=cart.pk)
    priced = price_cart(cart)
    switches.refuse_when_closed({line.line.domain for line in priced.lines})
    if not priced.lines:
        return _bought_before(cart, agreed_digest)
    existing = payable_payment_of(cart)
    if existing is not None and existing.pk == never_opened:
        return _Payable(_replace(existing, way).pk)
    if existing is not None:
        has_time = existing.expires_at - timezone.now() > _LEAST_TIME_LEFT
        # The order's own holds may make a place look sold out to the same student, so the digest frozen with the
        # order is compared, not the cart's current one.
        is_wanted = existing.close_requested_at is None and existing.order.cart_digest == agreed_digest
        if has_time and is_wanted and _is_paid_so(existing, way):
            return _Payable(existing.pk)
        return _Superseded(existing.pk)
    if priced.problem:
        raise TotalRefused(priced.problem)
    if not priced.is_buyable or priced.digest != agreed_digest:
        raise CartChanged
    _refuse_too_many(user)
    try:
        order = write_order(user_id=user.pk, priced=priced)
    except CodeNotUsable as gone:
        raise CartChanged(str(gone)) from gone
    order.user = user
    return _Payable(_new_payment(order, way).pk) if order.total_minor else _Settled(_settle(order).pk)


def _bought_before(cart: Cart, agreed_digest: str) -> _Settled:
    """What a second click meets: the order that the first one delivered for nothing, or paid with a saved card."""
    states = (Order.State.COMPLETED, Order.State.PAYMENT_PENDING)
    order = Order.objects.filter(cart=cart, cart_digest=agreed_digest, state__in=states).order_by("-pk").first()
    if order is None:
        raise CartEmpty
    if order.total_minor:
        raise sessions.AlreadyPaid(order)
    return _Settled(order.payments.get(status=Payment.Status.SUCCEEDED).pk)


def _settle(order: Order) -> Payment:
    """Hold the places of an order that costs nothing and deliver it, without Stripe."""
    now = timezone.now()
    reserve_lines(order, until=now + HOLD_MARGIN)
    reference = uuid.uuid4()
    payment = Payment.objects.create(
        order=order,
        reference=reference,
        idempotency_key=f"lectern-free-{reference}",
        amount_minor=0,
        currency=order.currency,
        expires_at=now,
        ended_at=now,
        status=Payment.Status.EXPIRED,  # until it is settled, in this same transaction
        livemode=settings.STRIPE_LIVE_MODE,
        state=Payment.State.DONE,
        finished_at=now,
    )
    settle_free_order(order, payment)
    return payment


def _is_paid_so(payment: Payment, way: Way) -> bool:
    """Whether the payment is paid in this way: with the same card, or on a page that leads back to these addresses."""
    if isinstance(way, SavedCard):
        confirm = payment.intent_request.get("confirm", {})
        return bool(confirm.get("payment_method") == way.method.stripe_payment_method_id)
    return not payment.charges_card and _leads_back_to(payment, way)


def _leads_back_to(payment: Payment, returns: ReturnAddresses) -> bool:
    """Whether its page leads back to these addresses. Requests of payments older than their field are not known."""
    request = payment.session_request
    if not request:
        return True
    frozen = ReturnAddresses(success=request["success_url"], cancel=request["cancel_url"])
    return frozen == returns or (lead_home(returns) and lead_home(frozen))


def _replace(payment: Payment, way: Way) -> Payment:
    """Create another payment for the order of one that never had a page. Raises LineSoldOut; the old one then stays."""
    ended = Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED)
    ended.update(status=Payment.Status.EXPIRED, ended_at=timezone.now())
    return _new_payment(payment.order, way)


def _new_payment(order: Order, way: Way) -> Payment:
    """Hold the order's places for as long as the new payment can be paid, and freeze what is sent to Stripe for it."""
    reference = uuid.uuid4()
    expires_at = timezone.now() + settings.CHECKOUT_LIFETIME
    reserve_lines(order, until=expires_at + HOLD_MARGIN)
    return Payment.objects.create(
        order=order,
        reference=reference,
        **_requests(order, way, reference=reference, expires_at=expires_at),
        amount_minor=order.total_minor,
        currency=order.currency,
        expires_at=expires_at,
        livemode=settings.STRIPE_LIVE_MODE,
        run_after=timezone.now() + sessions.TIME_FOR_THE_REQUEST,
    )


def _requests(order: Order, way: Way, *, reference: uuid.UUID, expires_at: datetime) -> dict[str, Any]:
    if isinstance(way, SavedCard):
        request = build_intent_request(order, way.method, reference=reference, return_url=way.return_url)
        return {"idempotency_key": f"lectern-intent-{reference}", "intent_request": request}
    page = build_session_request(order, reference=reference, expires_at=expires_at, returns=way)
    return {"idempotency_key": f"lectern-session-{reference}", "session_request": page}


def _refuse_too_many(user: User) -> None:
    """Allow ten new payments per minute and person, counted in the database so that every process agrees."""
    window = timedelta(minutes=1)
    recent = list(
        Payment.objects.filter(order__user=user, created_at__gt=timezone.now() - window)
        .order_by("-created_at")
        .values_list("created_at", flat=True)[:_PAYMENTS_PER_MINUTE]
    )
    if len(recent) >= _PAYMENTS_PER_MINUTE:
        wait = recent[-1] + window - timezone.now()
        raise TooManyPayments(retry_after=max(1, math.ceil(wait.total_seconds())))
