"""What can keep a purchase, a cancellation or a payout from happening, as problems for programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from api.problems import Problem, Refused
from payments.cancellations.lines import CannotCancel, OfferChanged
from payments.checkout import CartChanged, CartEmpty, TooManyPayments, TotalRefused
from payments.contracts import NotForSale
from payments.evidence import PaymentDisagrees
from payments.models import Cart
from payments.orders import LineSoldOut
from payments.payouts.requests import PayoutRefused
from payments.saved_cards.choosing import MethodUnusable
from payments.sessions import AlreadyPaid, CardDeclined
from payments.stripe_api import AMOUNT_CODES, StripeRefused, StripeUnreachable
from payments.switches import CheckoutClosed

log = structlog.get_logger()

NOT_FOR_SALE = Problem("not-for-sale", 409, "This cannot be bought.", "Read `detail`, and choose something else.")
CART_EMPTY = Problem("cart-empty", 409, "The cart is empty.", "Put something into the cart first.")
CART_CHANGED = Problem("cart-changed", 409, "Something in the cart changed.", "Read the cart again, then repeat.")
SOLD_OUT = Problem("sold-out", 409, "A place is no longer free.", "Remove it from the cart.")
ALREADY_PAID = Problem("already-paid", 409, "The order is paid already.", "Read the order in `order`.")
# One of the few uses of 402, which every client reads as: not paid.
CARD_DECLINED = Problem("card-declined", 402, "The card was not charged.", "Read `detail`, and use another card.")
CARD_UNUSABLE = Problem("card-unusable", 409, "This cannot be charged at once.", "Read `detail`, and use another card.")
AMOUNT_REFUSED = Problem("amount-refused", 409, "This amount cannot be paid.", "Change the cart.")
TOO_MANY_PAYMENTS = Problem("too-many-payments", 429, "Too many payments were started.", "Wait for `Retry-After`.")
CHECKOUT_CLOSED = Problem("checkout-closed", 503, "Sales are paused.", "Try again later. The cart stays as it is.")
STRIPE_SILENT = Problem(
    "payments-unavailable", 503, "The payment provider does not answer.", "Wait for `Retry-After`, then repeat."
)
CANNOT_CANCEL = Problem("cannot-cancel", 409, "This cannot be cancelled.", "Read `detail`.")
OFFER_CHANGED = Problem("offer-changed", 409, "What comes back has changed.", "Read the cancellation again.")
PAYOUT_REFUSED = Problem("payout-refused", 409, "This cannot be paid out.", "Read `detail`.")

OF_CART = (NOT_FOR_SALE,)
OF_CHECKOUT = (
    NOT_FOR_SALE,
    CART_EMPTY,
    CART_CHANGED,
    SOLD_OUT,
    ALREADY_PAID,
    AMOUNT_REFUSED,
    TOO_MANY_PAYMENTS,
    CHECKOUT_CLOSED,
    STRIPE_SILENT,
)
_RETRY_AFTER_SECONDS = 60
# For exceptions whose message is for the person. The first match counts.
_BY_EXCEPTION: dict[type[Exception], Problem] = {
    NotForSale: NOT_FOR_SALE,
    CartEmpty: CART_EMPTY,
    CartChanged: CART_CHANGED,
    TotalRefused: AMOUNT_REFUSED,
    Cart.DoesNotExist: CART_EMPTY,
    LineSoldOut: SOLD_OUT,
    CannotCancel: CANNOT_CANCEL,
    OfferChanged: OFFER_CHANGED,
    PayoutRefused: PAYOUT_REFUSED,
    CardDeclined: CARD_DECLINED,
    MethodUnusable: CARD_UNUSABLE,
}


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn the exceptions of payments' functions into Refused."""
    try:
        yield
    except tuple(_BY_EXCEPTION) as refusal:
        problem = next(each for kind, each in _BY_EXCEPTION.items() if isinstance(refusal, kind))
        raise Refused(problem, detail=str(refusal)) from refusal
    except AlreadyPaid as paid:
        raise Refused(ALREADY_PAID, order=paid.order.number) from paid
    except TooManyPayments as many:
        raise Refused(TOO_MANY_PAYMENTS, headers=_after(many.retry_after)) from many
    except CheckoutClosed as closed:
        raise Refused(CHECKOUT_CLOSED, headers=_after(_RETRY_AFTER_SECONDS)) from closed
    except StripeUnreachable as silence:
        raise Refused(STRIPE_SILENT, headers=_after(silence.retry_after)) from silence
    except (StripeRefused, PaymentDisagrees) as refusal:
        raise _of_stripe(refusal) from refusal


def _of_stripe(refusal: Exception) -> Refused:
    """A refused amount can be changed by the caller; any other refusal is a fault of the site."""
    if getattr(refusal, "code", "") in AMOUNT_CODES:
        return Refused(AMOUNT_REFUSED, detail=str(refusal))
    log.warning("api_call_refused_by_stripe", problem=repr(refusal))
    return Refused(STRIPE_SILENT, headers=_after(_RETRY_AFTER_SECONDS))


def _after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
