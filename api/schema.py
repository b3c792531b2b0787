"""The parts of the OpenAPI document that all endpoints share: how callers sign in, and the form of errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, AllowAny

from api.problems import (
    BUSY,
    CONTENT_TYPE,
    FORBIDDEN,
    MEDIA_TYPE,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    NOT_SIGNED_IN,
    THROTTLED,
    TOO_LARGE,
    UNREADABLE,
    Problem,
)

# What any address can answer, if the request gives reason to.
GENERAL = (UNREADABLE, NOT_SIGNED_IN, NOT_ACCEPTABLE, TOO_LARGE, MEDIA_TYPE, THROTTLED, BUSY)
_SECONDS = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 0}}
_LEFT = {"description": "How many requests are left, and for how many seconds.", "schema": {"type": "string"}}
_POLICY = {"description": "How many requests may be made, and in how many seconds.", "schema": {"type": "string"}}


class SessionCookieScheme(SessionScheme):  # type: ignore[no-untyped-call]  # drf-spectacular registers subclasses untyped
    """How callers sign in."""

    target_class = "api.authentication.SessionCookie"
    name = "session"


class InvalidPart(serializers.Serializer[Any]):
    """One thing that is wrong with a request."""

    parameter = serializers.CharField(help_text="Its name, as a dotted path where it lies inside something else.")
    detail = serializers.CharField()


class ProblemDetails(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="Which kind of error it is. Never changes, so programs can compare it.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    next_step = serializers.CharField(help_text="What the caller can do about it.")
    request_id = serializers.CharField(help_text="Finds the request in the platform's logs.")
    errors = InvalidPart(many=True, required=False)  # type: ignore[assignment]  # of the class, not of its instances


class EndpointSchema(AutoSchema):
    """Describes an endpoint with what is true of all: the errors that any of them can answer, limits and links.

    A view names what follows an answer as `links`, by method.
    """

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """Add the fields of the header, and the links."""
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is None:
            return None
        for status, answer in operation["responses"].items():
            answer["headers"] = _headers_of(status)
        links = getattr(self.view, "links", {}).get(self.method, ())
        if links:
            operation["responses"]["200"]["links"] = {link.to: link.as_openapi() for link in links}
        return operation

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        """Add the general errors to the answers that the view names."""
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for (status, media_type), response in refusals(*self._general_errors()).items():
            described = self._get_response_for_code(response, str(status), [media_type], direction)  # type: ignore[no-untyped-call]
            known = bodies.setdefault(str(status), described)
            if known is not described:
                known["description"] = "\n\n".join(
                    dict.fromkeys([*known["description"].split("\n\n"), *described["description"].split("\n\n")])
                )
        return dict(sorted(bodies.items()))

    def _general_errors(self) -> Iterator[Problem]:
        # A wrong token is refused wherever it is sent.
        yield from (UNREADABLE, NOT_SIGNED_IN, NOT_ACCEPTABLE, BUSY)
        is_reading = self.method in SAFE_METHODS
        if not is_reading or AllowAny not in self.view.permission_classes:
            yield FORBIDDEN
        if "{" in self.path:
            yield NOT_FOUND
        if not is_reading:
            yield TOO_LARGE
            if self.get_request_serializer() is not None:
                yield MEDIA_TYPE


def _headers_of(status: str) -> dict[str, Any]:
    limits = {"RateLimit": _LEFT, "RateLimit-Policy": _POLICY}
    return {**limits, "Retry-After": _SECONDS} if status in {str(BUSY.status), str(THROTTLED.status)} else limits


def answers(serializer: type[serializers.Serializer[Any]], *problems: Problem) -> dict[Any, Any]:
    """The `responses` of an endpoint: its answer, its own errors, and those that any endpoint can have."""
    return {200: serializer, **refusals(*problems)}


def describe_problem(problem: Problem) -> str:
    """A problem as the document names it."""
    return f"`{problem.name}`: {problem.title}"


def refusals(*problems: Problem) -> dict[Any, Any]:
    """The same without an answer of JSON, for an endpoint that answers with something else."""
    described: dict[int, dict[str, None]] = {}
    for each in (*problems, THROTTLED):
        described.setdefault(each.status, {})[describe_problem(each)] = None
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemDetails, description="\n\n".join(names))
        for status, names in described.items()
    }
