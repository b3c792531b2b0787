"""Values for every page: name and address of the site, and the visitor's currency."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

from catalogue.currencies import display_currency


def site(_request: HttpRequest) -> dict[str, str]:
    """Name and address from the settings. No link is made from the Host header, because the client can forge it."""
    return {"site_name": settings.SITE_NAME, "base_url": settings.BASE_URL}


def currency(request: HttpRequest) -> dict[str, str | Sequence[str]]:
    """The visitor's currency for cards and header, and the currencies they can choose there."""
    return {"currency": display_currency(request), "currencies": settings.CURRENCIES}
