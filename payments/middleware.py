"""What payments adds to every request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from payments.circuit import time_limit

# Stripe answers a session in under a second as a rule; a student should not stare at a white page much longer, and the
# thread that waits answers nobody else.
SECONDS_FOR_STRIPE = 6.0


class StripeTimeLimitMiddleware:
    """Caps the time a request may wait for Stripe, however many calls and repeats it takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request within the limit."""
        with time_limit(SECONDS_FOR_STRIPE):
            return self._get_response(request)
