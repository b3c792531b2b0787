"""One id per request, in every line it logs and in its response, so that a report can be traced."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponseBase

# An id that a proxy in front may set; anything else could forge lines in a log.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestIdMiddleware:
    """Comes first, even before webhooks are answered, so that every line that is logged has the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Not `request.headers`, which would copy all headers first.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        # A thread serves one request after another, so values of the last one must be cleared.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request_id
        return response


def _forget_request(**_: Any) -> None:
    # Not in the middleware: Django logs refused and missing pages after all middleware has returned.
    structlog.contextvars.clear_contextvars()


request_finished.connect(_forget_request, dispatch_uid="forget the request's id")
