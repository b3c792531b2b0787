"""Paths with NUL in them lead nowhere, and cookies with NUL do not count."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase


class RefuseNullCharactersMiddleware:
    """Refuse what no text of ours can be: PostgreSQL stores no NUL and answers a question with one by an error.

    Each view would have to look for it otherwise. What is asked after the path and what is posted, forms check.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A cookie of ours never holds one. Without this one, the request is that of somebody who sent no such cookie.
        request.COOKIES = {name: text for name, text in request.COOKIES.items() if "\0" not in text}
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        """Raise here rather than above, so that the error pages are those of the site."""
        if "\0" in request.path_info:
            raise Http404
