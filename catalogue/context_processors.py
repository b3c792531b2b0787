"""What every page says about the site itself, and the currency its visitor sees prices in."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

from catalogue.currencies import display_currency


def site(_request: HttpRequest) -> dict[str, str]:
    """Name and address as the settings have them. The Host header is the visitor's word, so no link is made of it."""
    return {"site_name": settings.SITE_NAME, "base_url": settings.BASE_URL}


def currency(request: HttpRequest) -> dict[str, str | Sequence[str]]:
    """The visitor's currency for cards and header, and those they can choose there."""
    return {"currency": display_currency(request), "currencies": settings.CURRENCIES}
