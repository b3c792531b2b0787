"""How Stripe's API is called: one client per process, and two kinds of error. For the modules that make the calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import stripe
from django.conf import settings

from payments.circuit import CallNotMade, spending_time
from payments.stripe_http import StripeNotCalled, http_client

# stripe-python retries lost connections, 409 and 5xx with jitter and the same idempotency key; we add 429.
_NETWORK_RETRIES = 2


# Codes of refusals that are not final: Stripe is busy with the object, or our balance is too low for now.
BUSY = frozenset(["lock_timeout", "rate_limit"])
# Stripe compares with the minimum after converting to the account's settlement currency, at a rate we do not know.
AMOUNT_CODES = frozenset(["amount_too_small", "amount_too_large"])
BALANCE_TOO_LOW = frozenset(["balance_insufficient", "insufficient_funds"])


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
def client() -> stripe.StripeClient:
    host = getattr(settings, "STRIPE_API_HOST", "")
    # Stripe takes files at another host than all other calls; whatever stands in for it takes both at one.
    base_addresses: Any = {"api": host, "files": host} if host else {}
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


class translated_errors:  # noqa: N801  # reads as a statement: `with translated_errors():`
    """Translate stripe-python's exceptions into StripeUnreachable and StripeRefused."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, stripe.StripeError):
            return
        is_final = isinstance(error, _FINAL_ERRORS)
        message = error.user_message or str(error)
        if is_final and error.http_status != 409:  # noqa: PLR2004  # "in use": the first call is still running
            raise _kind_of_refusal(error)(message, code=_code_of(error), param=_param_of(error)) from error
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


def _code_of(error: stripe.StripeError) -> str:
    """Stripe's code. The library leaves it out of errors of permission, but keeps the body."""
    body = getattr(error, "error", None)
    return str(error.code or getattr(body, "code", None) or "")


def _param_of(error: stripe.StripeError) -> str:
    return str(getattr(error, "param", None) or "")
