"""What every page says about the site itself."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, str]:
    """Name and address as the settings have them. The Host header is the visitor's word, so no link is made of it."""
    return {"site_name": settings.SITE_NAME, "base_url": settings.BASE_URL}
