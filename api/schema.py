"""The parts of the OpenAPI document that all endpoints share: how callers sign in, and the form of errors."""

from __future__ import annotations

from typing import Any

from drf_spectacular.authentication import SessionScheme
from rest_framework import serializers

from api.problems import CONTENT_TYPE, THROTTLED, Problem


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


def answers(serializer: type[serializers.Serializer[Any]], *problems: Problem) -> dict[Any, Any]:
    """The `responses` of an endpoint: its answer, its own errors, and those that any endpoint can have."""
    return {200: serializer, **refusals(*problems)}


def refusals(*problems: Problem) -> dict[Any, Any]:
    """The same without an answer of JSON, for an endpoint that answers with something else."""
    return {(each.status, CONTENT_TYPE): ProblemDetails for each in (*problems, THROTTLED)}
