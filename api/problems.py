"""Errors of the API as problem details (RFC 9457), whether a view, a middleware or Django itself refuses the request."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of error. `name` never changes once published: programs compare it."""

    name: str
    status: int
    title: str
    next_step: str

    @property
    def type(self) -> str:
        """The `type` of problem details: a name, not an address to fetch."""
        return f"urn:lectern:problem:{self.name}"


class Refused(Exception):
    """Raised by a view to answer with one kind of problem. `more` are additional members of the answer."""

    def __init__(
        self, problem: Problem, *, detail: str = "", headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail or problem.title)
        self.problem = problem
        self.detail = detail
        self.headers = headers or {}
        self.more = more


INVALID = Problem("invalid", 400, "The request is not valid.", "Correct what `errors` names and send it again.")
UNREADABLE = Problem("unreadable", 400, "The request could not be read.", "Correct the request and send it again.")
NOT_SIGNED_IN = Problem("not-signed-in", 401, "You are not signed in.", "Sign in and send the request again.")
FORBIDDEN = Problem("forbidden", 403, "You may not do this.", "Use an account that may, and send the CSRF token.")
NOT_FOUND = Problem("not-found", 404, "There is nothing here.", "Check the address. You only find what is your own.")
METHOD = Problem("method-not-allowed", 405, "This method is not allowed here.", "Use a method named in `Allow`.")
NOT_ACCEPTABLE = Problem("not-acceptable", 406, "Only JSON is answered here.", "Accept `application/json`.")
TOO_LARGE = Problem("too-large", 413, "The request is too large.", "Send less at once. Nothing was changed.")
MEDIA_TYPE = Problem("unsupported-media-type", 415, "Only JSON is read here.", "Send `application/json`.")
THROTTLED = Problem("too-many-requests", 429, "Too many requests.", "Wait for the seconds in `Retry-After`.")
FAILED = Problem("failed", 500, "Something broke on our side.", "Try again later, and give us the request id.")
BUSY = Problem("busy", 503, "The site is busy.", "Wait for the seconds in `Retry-After` and try again.")

# The first match counts, so subclasses come before their parents.
_BY_EXCEPTION: dict[type[Exception], Problem] = {
    exceptions.ValidationError: INVALID,
    exceptions.ParseError: UNREADABLE,
    exceptions.NotAuthenticated: NOT_SIGNED_IN,
    exceptions.AuthenticationFailed: NOT_SIGNED_IN,
    exceptions.PermissionDenied: FORBIDDEN,
    PermissionDenied: FORBIDDEN,
    exceptions.NotFound: NOT_FOUND,
    Http404: NOT_FOUND,
    exceptions.MethodNotAllowed: METHOD,
    exceptions.NotAcceptable: NOT_ACCEPTABLE,
    exceptions.UnsupportedMediaType: MEDIA_TYPE,
    exceptions.Throttled: THROTTLED,
}


def is_for_api(request: HttpRequest) -> bool:
    """Whether the caller is a program that expects JSON, errors included."""
    return request.path_info.startswith("/api/")


def problem_response(problem: Problem, *, detail: str = "", **more: Any) -> JsonResponse:
    """The response for one error. `more` are additional members, such as `errors`."""
    body = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": detail or problem.title,
        "next_step": problem.next_step,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **more,
    }
    return JsonResponse(body, status=problem.status, content_type=CONTENT_TYPE)


def answer_exception(exception: Exception, _context: dict[str, Any]) -> JsonResponse | None:
    """The response for an exception from a view of the API; None leaves it to Django. Used as EXCEPTION_HANDLER."""
    if isinstance(exception, Refused):
        set_rollback()
        response = problem_response(exception.problem, detail=exception.detail, **exception.more)
        for name, value in exception.headers.items():
            response.headers[name] = value
        return response
    problem = next((each for kind, each in _BY_EXCEPTION.items() if isinstance(exception, kind)), None)
    if problem is None:
        return None
    set_rollback()
    if isinstance(exception, exceptions.ValidationError):
        return problem_response(problem, errors=list(_errors_in(exception.detail)))
    # Django's own exceptions have no text for the caller.
    detail = str(exception.detail) if isinstance(exception, exceptions.APIException) else ""
    response = problem_response(problem, detail=detail)
    if problem.status == status.HTTP_401_UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = getattr(exception, "auth_header", "Bearer")
    if isinstance(exception, exceptions.Throttled):
        response.headers["Retry-After"] = str(math.ceil(getattr(exception, "wait", None) or 1))
    return response


def _errors_in(detail: Any, parameter: str = "") -> Iterator[dict[str, str]]:
    """Each message with the name of its parameter, as a dotted path if that is nested."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _errors_in(inner, f"{parameter}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _errors_in(inner, parameter)
    else:
        yield {"parameter": parameter, "detail": str(detail)}
