"""Webhooks are answered before everything a page needs: no session, no cookies, no headers for browsers."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from payments.webhook.endpoint import receive_event

# The second is what operators of other sites know.
_PATHS = frozenset({"/payments/webhook/", "/payments/webhook", "/api/webhooks/stripe", "/api/webhooks/stripe/"})


class WebhookMiddleware:
    """Second only to the request's id. Stripe waits for each answer, and hundreds may come in a second after a big sale."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in _PATHS:
            return receive_event(request)
        return self._get_response(request)
