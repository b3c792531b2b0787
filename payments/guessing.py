"""A limit for people and programs that guess codes of discounts or gifts: only unknown ones count, pages and API together."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.http import HttpRequest

# When the oldest guess no longer counts, at the latest.
RETRY_AFTER_SECONDS = 3600


def may_try_codes(request: HttpRequest, kind: str = "discount_code") -> bool:
    """Whether the visitor's address, and their account, have few enough wrong guesses at this kind behind them."""
    return all(_consume(request, action, is_try=True) for action in _limits_of(request, kind))


def record_wrong_guess(request: HttpRequest, kind: str = "discount_code") -> None:
    """Count a code that does not exist."""
    for action in _limits_of(request, kind):
        _consume(request, action)


def _limits_of(request: HttpRequest, kind: str) -> list[str]:
    return [kind, *([f"{kind}_of_account"] if request.user.is_authenticated else [])]


def _consume(request: HttpRequest, action: str, *, is_try: bool = False) -> bool:
    # The public function lets every GET pass, and the link in a mail is one.
    usage = ratelimit.consume(request, app="allauth.account", action=action, dry_run=is_try, limit_get=True)
    return usage is not None
