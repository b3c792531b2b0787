"""Refuse paths that contain NUL, and ignore cookies that do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase


class RefuseNullCharactersMiddleware:
    """PostgreSQL stores no NUL and fails on a query with one, so otherwise every view would have to check for it.

    Forms check query strings and posted data.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Our cookies never contain NUL. The request is treated as if it came without this cookie.
        request.COOKIES = {name: text for name, text in request.COOKIES.items() if "\0" not in text}
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        """Raise here rather than in `__call__`, so that the site's own error page is shown."""
        if "\0" in request.path_info:
            raise Http404
