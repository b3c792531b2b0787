"""The currency in which a visitor sees prices and pays: the one chosen in the header, otherwise a guess."""

from __future__ import annotations

from collections.abc import Container, Iterable

from babel.core import get_global, parse_locale
from babel.numbers import get_territory_currencies
from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from money import Money

# Sent with `request` and `currency` when a visitor chooses a currency, so that other apps can change theirs too.
currency_chosen = Signal()
_COOKIE = "display_currency"
_YEAR = 365 * 24 * 60 * 60


def display_currency(request: HttpRequest) -> str:
    """The chosen currency; otherwise that of the browser's language and country if the site sells in it.

    A forged or outdated cookie is ignored.
    """
    chosen = request.COOKIES.get(_COOKIE, "")
    if chosen in settings.CURRENCIES:
        return chosen
    return _guess(request.headers.get("Accept-Language", ""), settings.CURRENCIES) or str(settings.DEFAULT_CURRENCY)


def remember_currency(response: HttpResponse, currency: str) -> None:
    """Store a currency in a cookie of the visitor's browser. It must be one of the site's."""
    response.set_cookie(
        _COOKIE, currency, max_age=_YEAR, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def pick_currency(offered: Iterable[str], *, preferred: str) -> str:
    """The preferred currency if the offer has it, otherwise the first of the site's currencies that it has.

    `offered` must not be empty. Cards, pages and cart all call this function, so that they agree.
    """
    left = sorted(offered)
    ordered = [preferred, *settings.CURRENCIES]
    return next((currency for currency in ordered if currency in left), left[0])


def pick_amount(amounts: Iterable[Money], *, preferred: str) -> Money | None:
    """The price of an offer in the currency that `pick_currency` picks; None if it has no price."""
    by_currency = {amount.currency: amount for amount in amounts}
    return by_currency[pick_currency(by_currency, preferred=preferred)] if by_currency else None


def _guess(accept_language: str, sold_in: Container[str]) -> str | None:
    """The currency of the territory that the browser's first language names or, by default, belongs to.

    Only the first language counts: the second language of a Swedish browser is English, but its owner is not American.
    """
    languages = [language for language, _ in parse_accept_lang_header(accept_language.lower()) if language != "*"]
    territory = _territory_of(languages[0]) if languages else None
    if territory is None:
        return None
    return next((currency for currency in get_territory_currencies(territory) if currency in sold_in), None)


def _territory_of(language: str) -> str | None:
    """The territory of a language, such as DE for de-DE and for de; None if it is not a locale."""
    try:
        name, territory, *_ = parse_locale(language, sep="-")
        if territory is None:
            territory = parse_locale(get_global("likely_subtags")[name])[1]
    except (ValueError, KeyError):
        return None
    return territory
