"""Limit the size of a request's body before any of it is read."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template

from api.problems import TOO_LARGE, is_for_api, problem_response
from config.body_sizes import largest_body


class BodyLimitMiddleware:
    """Answers 413 to bodies larger than the address accepts, all fields and files together.

    Django limits fields and leaves files to the web server in front; forms check a file's size only once all of it is
    on our disk. A body without Content-Length is never read: WSGI gives Django an empty one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _announced(request) > largest_body(request.path_info):
            if is_for_api(request):
                return problem_response(TOO_LARGE)
            # Without the request: the user is not known yet.
            return HttpResponse(get_template("413.html").render(), status=413)
        return self.get_response(request)


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        # Django reads such a request as one without a body.
        return 0
