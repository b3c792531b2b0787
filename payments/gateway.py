"""All calls to Stripe's API, except those of the dj-stripe mirror. Takes and returns our own types.

Never called inside a transaction or under a lock: an answer can take seconds, or never arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import stripe
from django.conf import settings

from money import Money
from payments.circuit import CallNotMade, spending_time
from payments.stripe_http import StripeNotCalled, http_client
from payments.stripe_objects import (
    ChargeFacts,
    CheckoutSession,
    StripeRefund,
    as_text,
    id_of,
    read_refund,
    read_session,
)

# stripe-python retries lost connections, 409 and 5xx with jitter and the same idempotency key; we add 429.
_NETWORK_RETRIES = 2
_EVENTS_PER_PAGE = 100
# The most types that one request for events may name (docs: "List all events", types).
TYPES_PER_LIST = 20


class StripeUnreachable(Exception):
    """No answer, or none that says whether the request was carried out (time-out, 429, 5xx). Retry with the same key.

    `retry_after` is in seconds.
    """

    def __init__(self, message: str, *, retry_after: int = 10) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StripeRefused(Exception):
    """Stripe refused the request; repeating it changes nothing.

    `code` is Stripe's error code and `param` the parameter at fault; empty if Stripe names none.
    """

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class NoSuchObject(StripeRefused):
    """Stripe has no such object, or not in this mode or account."""


class StripeMisconfigured(StripeRefused):
    """Refused because of our set-up, not of the request: a wrong key, a missing permission, a reused idempotency key.

    Says nothing about the payment or refund itself, so nothing may be cancelled or released because of it.
    """


class KeyUsedDifferently(StripeMisconfigured):
    """Stripe has already carried out a different request with this idempotency key."""


@cache
def _client() -> stripe.StripeClient:
    host = getattr(settings, "STRIPE_API_HOST", "")
    base_addresses: Any = {"api": host} if host else {}
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses=base_addresses,
        http_client=http_client(),
        max_network_retries=_NETWORK_RETRIES,
    )


# The request was certainly not carried out, and repeating it changes nothing.
_FINAL_ERRORS = (
    stripe.InvalidRequestError,
    stripe.CardError,
    stripe.IdempotencyError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)


# These concern our API key, not the request.
_ERRORS_OF_SETUP = (stripe.AuthenticationError, stripe.PermissionError)


class _translated_errors:  # noqa: N801  # reads as a statement: `with _translated_errors():`
    """Translate stripe-python's exceptions into StripeUnreachable and StripeRefused."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, stripe.StripeError):
            return
        is_final = isinstance(error, _FINAL_ERRORS)
        message = error.user_message or str(error)
        if is_final and error.http_status != 409:  # noqa: PLR2004  # "in use": the first call is still running
            raise _kind_of_refusal(error)(message, code=error.code or "", param=_param_of(error)) from error
        if isinstance(error, StripeNotCalled):
            raise StripeUnreachable(message, retry_after=error.retry_after) from error
        raise StripeUnreachable(message) from error


@contextmanager
def waiting_for_another(*, at_most: float) -> Iterator[float]:
    """Wait inside the block for a call to Stripe that another thread or process makes; yields the deadline (monotonic).

    This counts as waiting for Stripe: against the time limit of the request, and against the number of waiting threads.
    Raises StripeUnreachable.
    """
    try:
        with spending_time(at_most=at_most) as stop_at, http_client().circuit.slot():
            yield stop_at
    except CallNotMade as reason:
        raise StripeUnreachable(str(reason), retry_after=reason.retry_after) from reason


def _kind_of_refusal(error: stripe.StripeError) -> type[StripeRefused]:
    if isinstance(error, stripe.IdempotencyError):
        return KeyUsedDifferently
    if isinstance(error, _ERRORS_OF_SETUP):
        return StripeMisconfigured
    return NoSuchObject if error.code == "resource_missing" else StripeRefused


def _param_of(error: stripe.StripeError) -> str:
    return str(getattr(error, "param", None) or "")


def create_session(request: Mapping[str, Any], *, idempotency_key: str) -> CheckoutSession:
    """Create the Checkout Session of one payment from the request that was frozen with it.

    Raises StripeUnreachable or StripeRefused; KeyUsedDifferently if Stripe has seen the key with another request.
    """
    params: Any = dict(request)
    with _translated_errors():
        session = _client().v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})
    return read_session(session.to_dict())


def retrieve_session(session_id: str) -> CheckoutSession:
    """The current state of a session and its payment intent. Raises StripeUnreachable or StripeRefused."""
    with _translated_errors():
        session = _client().v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]})
    return read_session(session.to_dict())


def retrieve_charge(payment_intent_id: str) -> ChargeFacts:
    """The charge that paid a payment intent, as far as Stripe reports it. Raises StripeUnreachable or StripeRefused."""
    with _translated_errors():
        intent = _client().v1.payment_intents.retrieve(
            payment_intent_id, {"expand": ["latest_charge.balance_transaction"]}
        )
    charge = intent.to_dict().get("latest_charge")
    transaction = charge.get("balance_transaction") if isinstance(charge, Mapping) else None
    if not isinstance(transaction, Mapping):
        return ChargeFacts(charge_id=id_of(charge), balance_transaction_id="", fee=None)
    fee = Money(transaction["fee"], as_text(transaction["currency"]).upper())
    return ChargeFacts(charge_id=id_of(charge), balance_transaction_id=id_of(transaction), fee=fee)


def expire_session(session_id: str) -> CheckoutSession:
    """End an open session so that it cannot be paid any more. Raises StripeRefused if it is not open."""
    with _translated_errors():
        session = _client().v1.checkout.sessions.expire(session_id)
    return read_session(session.to_dict())


def find_session(*, reference: str, created_from: datetime) -> CheckoutSession | None:
    """Search for the session created for a payment, when Stripe may have forgotten the idempotency key (after 24 h)."""
    params: Any = {"created": {"gte": int(created_from.timestamp())}, "limit": 100}
    with _translated_errors():
        for session in _client().v1.checkout.sessions.list(params).auto_paging_iter():
            if session.client_reference_id == reference:
                return read_session(session.to_dict())
    return None


def create_refund(
    *, payment_intent_id: str, amount: Money, order_number: str, refund_key: str, idempotency_key: str
) -> StripeRefund:
    """Ask Stripe to refund part of a payment. Raises StripeUnreachable or StripeRefused."""
    params: Any = {
        "payment_intent": payment_intent_id,
        "amount": amount.minor,
        "metadata": {"order": order_number, "refund": refund_key},
    }
    with _translated_errors():
        refund = _client().v1.refunds.create(params, {"idempotency_key": idempotency_key})
    return read_refund(refund.to_dict())


def find_refund(*, payment_intent_id: str, refund_key: str) -> StripeRefund | None:
    """Search for a refund that was already made with our key, before one is created."""
    params: Any = {"payment_intent": payment_intent_id, "limit": 100}
    with _translated_errors():
        for refund in _client().v1.refunds.list(params).auto_paging_iter():
            found = read_refund(refund.to_dict())
            if found.refund_key == refund_key:
                return found
    return None


def retrieve_refund(refund_id: str) -> StripeRefund:
    """The current state of a refund, with the reference of its payment. Raises StripeUnreachable or StripeRefused."""
    params: Any = {"expand": ["payment_intent"]}
    with _translated_errors():
        refund = _client().v1.refunds.retrieve(refund_id, params)
    return read_refund(refund.to_dict())


def list_event_pages(
    *, created_from: datetime, created_before: datetime | None, types: Sequence[str]
) -> Iterator[list[Mapping[str, Any]]]:
    """Events of at most 20 types that were created in [from, before), or since; page by page, newest first.

    Stripe keeps them for 30 days. Raises StripeUnreachable or StripeRefused.
    """
    created = {"gte": int(created_from.timestamp())}
    if created_before:
        created["lt"] = int(created_before.timestamp())
    params: Any = {"created": created, "types": list(types), "limit": _EVENTS_PER_PAGE}
    with _translated_errors():
        page = _client().v1.events.list(params)
        while page.data:
            yield [event.to_dict() for event in page.data]
            if not page.has_more:
                return
            page = page.next_page()
