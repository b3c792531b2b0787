"""The middleware of payments."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from payments.circuit import time_limit

# Stripe usually creates a session in under a second. A student should not wait much longer at a blank page, and the
# waiting thread cannot serve other requests.
SECONDS_FOR_STRIPE = 6.0


class StripeTimeLimitMiddleware:
    """Limits the time a request may wait for Stripe, over all its calls and retries."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with time_limit(SECONDS_FOR_STRIPE):
            return self._get_response(request)
