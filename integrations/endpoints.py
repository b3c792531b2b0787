"""The base of every endpoint: scopes of tokens, and how much of the rate limit is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import Teacher, User
from api.links import Link
from api.problems import Problem, Refused
from api.throttles import rate_limit_fields
from integrations.models import ApiToken
from integrations.scopes import Scope

INSUFFICIENT_SCOPE = Problem(
    "insufficient-scope", 403, "The token may not do this.", "Make a token with the scope named in `scope`."
)


class Endpoint(APIView):
    """One address of the API. `scopes` names the scope that a token needs, by method.

    Sessions have every scope: a person who is signed in may do all of it on the site's pages. Methods without a scope
    are open to everyone, which is why forgetting one is refused.
    """

    scopes: ClassVar[Mapping[str, Scope]] = {}
    # For a view that knows only from the question which scope it needs, and calls `require_scope`.
    decides_scope: ClassVar[bool] = False
    # What callers can do next with an answer, by method.
    links: ClassVar[Mapping[str, Sequence[Link]]] = {}
    _throttles: list[BaseThrottle] | None = None

    def check_permissions(self, request: Request) -> None:
        """Check the scope after the sign-in. OPTIONS says nothing about anyone."""
        super().check_permissions(request)
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method in self.scopes:
            require_scope(request, self.scopes[method])
        elif isinstance(request.auth, ApiToken) and not self._needs_no_scope(method):
            # Also a method that does not exist here.
            self.http_method_not_allowed(request)

    def _needs_no_scope(self, method: str) -> bool:
        return self.decides_scope or AllowAny in self.permission_classes or method == "OPTIONS"

    def perform_authentication(self, request: Request) -> None:
        """Sign the caller in, and count the request before anything can refuse it: refusals are limited as well."""
        try:
            super().perform_authentication(request)
        finally:
            # Of a wrong token, REST framework has made a guest.
            super().check_throttles(request)

    def check_throttles(self, _request: Request) -> None:
        """Do nothing: the request was counted with its sign-in."""

    def get_throttles(self) -> list[BaseThrottle]:
        """The throttles of this request: the same ones when it is checked and when it is answered."""
        if self._throttles is None:
            self._throttles = list(super().get_throttles())
        return self._throttles

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add what is left of the rate limit."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_limit_fields(self._throttles or ()).items():
            response.headers[name] = value
        return response


def require_scope(request: Request, scope: Scope) -> None:
    """Raise Refused if the caller uses a token without this scope."""
    if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
        raise Refused(
            INSUFFICIENT_SCOPE,
            detail=f"The token lacks the scope {scope.value}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'},
            scope=scope.value,
        )


def caller(request: Request) -> User:
    """The user of an endpoint that guests cannot reach."""
    assert isinstance(request.user, User)  # noqa: S101  # IsAuthenticated let the request in
    return request.user


def teaching_caller(request: Request, *, may_be_suspended: bool = True) -> Teacher:
    """The teacher who asks. Suspended ones still teach what was sold. Raises PermissionDenied."""
    teacher = Teacher.objects.select_related("user").filter(user_id=caller(request).pk).first()
    if teacher is None or teacher.status in (Teacher.Status.APPLIED, Teacher.Status.DECLINED):
        raise PermissionDenied("This is for teachers of the site.")
    if not may_be_suspended and not teacher.is_approved:
        raise PermissionDenied("Your account as a teacher is suspended.")
    return teacher
