"""A limit for people and programs that guess codes: only unknown codes count, on the page and in the API together."""

from __future__ import annotations

from allauth.core import ratelimit
from django.http import HttpRequest

# When the oldest guess no longer counts, at the latest.
RETRY_AFTER_SECONDS = 3600


def may_try_codes(request: HttpRequest) -> bool:
    """Whether the visitor's address, and their account, have few enough wrong guesses behind them."""
    return all(ratelimit.consume(request, action=action, dry_run=True) for action in _limits_of(request))


def record_wrong_guess(request: HttpRequest) -> None:
    """Count a code that does not exist."""
    for action in _limits_of(request):
        ratelimit.consume(request, action=action)


def _limits_of(request: HttpRequest) -> list[str]:
    return ["discount_code", *(["discount_code_of_account"] if request.user.is_authenticated else [])]
