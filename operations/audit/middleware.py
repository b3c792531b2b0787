"""Tells the database who changes what a request changes, so that the triggers can keep it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pghistory
import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.models import User
from operations.emergency.backend import access_of
from operations.models import Change


class CallerOf:
    """The account of a request, looked up when something is written and no sooner.

    Most requests only read, and looking would load a session and make the page vary by cookie. It is looked up again for
    each statement, because people sign in and out and tokens are checked while the request is answered.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def pk(self) -> int | None:
        """The account's id; None for guests."""
        user = getattr(self._request, "user", None)
        return user.pk if user is not None else None

    def emergency_pk(self) -> int | None:
        """The id of the emergency access under which the account acts, if it does."""
        user = getattr(self._request, "user", None)
        access = access_of(user) if isinstance(user, User) and user.is_staff else None
        return access.pk if access else None


class EmergencyOf(CallerOf):
    """The same for the emergency access of the account."""


class ContextEncoder(DjangoJSONEncoder):
    """Writes the context of a change as JSON. Named by PGHISTORY_JSON_ENCODER."""

    def default(self, o: Any) -> Any:
        if isinstance(o, EmergencyOf):
            return o.emergency_pk()
        return o.pk() if isinstance(o, CallerOf) else super().default(o)


class AuditMiddleware:
    """Gives all changes of a request its account, its id and its path. Comes after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with pghistory.context(
            user=CallerOf(request),
            emergency=EmergencyOf(request),
            source=_source_of(request.path),
            place=request.path[:200],
            request=structlog.contextvars.get_contextvars().get("request_id", ""),
        ):
            return self._get_response(request)


def _source_of(path: str) -> str:
    if path.startswith(reverse("admin:index")):
        return Change.Source.ADMIN
    return Change.Source.API if path.startswith("/api/") else Change.Source.SITE
