"""How callers of the API sign in."""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class SessionCookie(SessionAuthentication):
    """The site's own session, with its CSRF token for everything but reading."""

    def authenticate_header(self, _request: Request) -> str:
        """Name a scheme, so that a caller who is not signed in gets 401 and a caller who lacks a permission 403."""
        return "Session"
