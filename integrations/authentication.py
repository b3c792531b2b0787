"""How programs sign in: with a token in the header `Authorization: Bearer …`."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from integrations.models import ApiToken
from integrations.tokens import find_token

_WORDS = 2


class BearerToken(BaseAuthentication):
    """A token of `integrations.tokens`. It needs no CSRF token: no browser sends this header by itself."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The owner and the token; None if the request has no such header."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = find_token(words[1].decode("latin-1")) if len(words) == _WORDS else None
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.")
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"
