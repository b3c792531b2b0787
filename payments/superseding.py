"""Close a cart's payment page when the student changes the cart: the page would charge for the old contents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Now

from jobs.wakeups import wake_after_commit
from payments.models import Cart, Order, Payment


def payable_payment_of(cart: Cart) -> Payment | None:
    """The payment whose page can still be paid, for what the cart held when it was opened."""
    return _payable(cart).select_related("order__user").first()


@contextmanager
def student_changes(cart: Cart) -> Iterator[None]:
    """Wrap a change of a locked cart. If the cart no longer holds what an open page charges for, request its closing.

    Closing needs a call to Stripe, so a worker makes it, usually within moments, and retries until Stripe answers.
    Adding the same items with the same quantity again closes nothing.
    """
    # Locked before the lines are touched, in the order in which settlement locks them.
    payment = _payable(cart).select_for_update(of=("self",)).select_related("order").first()
    yield
    if payment and not _is_still_for(payment.order, cart):
        _request_close(payment)


def close_open_page(cart: Cart, *, only_with_code: int | None = None) -> None:
    """Request the closing of the page that a locked cart has open, because its price changes; of one with a code only."""
    payments = _payable(cart).select_for_update(of=("self",))
    if only_with_code is not None:
        payments = payments.filter(order__redemptions__code=only_with_code)
    for payment in payments:
        _request_close(payment)


def _payable(cart: Cart) -> QuerySet[Payment]:
    return Payment.objects.filter(order__cart=cart, order__state=Order.State.AWAITING_PAYMENT, ended_at=None)


def _is_still_for(order: Order, cart: Cart) -> bool:
    ordered = {
        line.item_key: (line.quantity, line.details, line.gift.wish.as_json() if line.is_gift else {})
        for line in order.lines.all()
    }
    wanted = {line.item.key: (line.quantity, line.details, line.gift) for line in cart.lines.all()}
    return (order.currency, ordered) == (cart.currency, wanted)


def _request_close(payment: Payment) -> None:
    # This ends the claim of a worker that holds the row, so that it cannot postpone the row until the page expires.
    waiting = When(state__in=[Payment.State.DONE, Payment.State.PARKED], then=Value(Payment.State.WAITING))
    Payment.objects.filter(pk=payment.pk, ended_at=None, close_requested_at=None).update(
        close_requested_at=Now(), run_after=Now(), attempts=0, state=Case(waiting, default="state"), finished_at=None
    )
    wake_after_commit(Payment)
