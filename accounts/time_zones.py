"""Show times in the viewer's own zone: the signed-in person's, or for guests the one that their browser reported."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.places_and_languages import known_time_zones

# A page's script may set it from Intl.DateTimeFormat().resolvedOptions().timeZone; nothing depends on it.
COOKIE = "time_zone"


class TimeZoneMiddleware:
    """Activates the viewer's time zone for the length of a request. Must come after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """Return the viewer's zone; anything unknown, such as a forged cookie, falls back to the site's."""
    wanted = request.user.time_zone if request.user.is_authenticated else request.COOKIES.get(COOKIE)
    return zoneinfo.ZoneInfo(known_or_none(wanted) or settings.TIME_ZONE)


def known_or_none(name: str | None) -> str | None:
    """Return a zone's name if there are rules for it. ZoneInfo opens files by name: a cookie must not choose which."""
    return name if name in known_time_zones() else None
