"""The answer when a file could not be stored and the view has no better one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template

from uploads.storage import NotStored


class NotStoredMiddleware:
    """Answers 503 with its own page. Views with a form catch NotStored themselves, so that typed text is not lost."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:  # noqa: ARG002  # Django's signature
        if not isinstance(exception, NotStored):
            return None
        return HttpResponse(get_template("uploads/not_stored.html").render(), status=503)
