"""The currency a visitor wants to see prices in. What they pay in is decided in the cart, not here."""

from __future__ import annotations

from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse

# Sent when a visitor chooses, with `request` and `currency`: what else shows them prices can follow.
currency_chosen = Signal()
_COOKIE = "display_currency"
_YEAR = 365 * 24 * 60 * 60


def display_currency(request: HttpRequest) -> str:
    """Return the remembered currency; a forged or outdated cookie counts as none."""
    wanted = request.COOKIES.get(_COOKIE, "")
    return wanted if wanted in settings.CURRENCIES else str(settings.DEFAULT_CURRENCY)


def remember_currency(response: HttpResponse, currency: str) -> None:
    """Keep a currency in the visitor's browser. It must be one of the site's."""
    response.set_cookie(
        _COOKIE, currency, max_age=_YEAR, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
