"""How programs sign in: with a token in the header `Authorization: Bearer …`."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from integrations.models import ApiToken
from integrations.tokens import find_token, when_expired

_WORDS = 2


class BearerToken(BaseAuthentication):
    """A token of `integrations.tokens`. It needs no CSRF token: no browser sends this header by itself."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The owner and the token; None if the request has no such header."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        secret = words[1].decode("latin-1") if len(words) == _WORDS else ""
        token = find_token(secret)
        if token is None:
            raise AuthenticationFailed(_refusal(secret))
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"


def _refusal(secret: str) -> str:
    expired_at = when_expired(secret)
    if expired_at is None:
        return "The token is unknown or revoked."
    return f"The token expired at {expired_at:%Y-%m-%d %H:%M} UTC. Its owner can make a new one."
