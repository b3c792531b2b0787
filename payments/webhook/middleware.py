"""Answer webhooks before the middleware that only pages need: no session, no cookies, no headers for browsers."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from payments.webhook.endpoint import receive_event

# The second path is familiar to operators of other sites.
WEBHOOK_PATHS = frozenset({"/payments/webhook/", "/payments/webhook", "/api/webhooks/stripe", "/api/webhooks/stripe/"})


class WebhookMiddleware:
    """Comes right after the request's id. Stripe waits for each answer, and a big sale sends hundreds in a second."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in WEBHOOK_PATHS:
            return receive_event(request)
        return self._get_response(request)
