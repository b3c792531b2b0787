"""Which zone a time is shown in: one rule for every page, mail and file.

What happens at a place is shown in that place's zone; everything else in the reader's. The reader of a page is the
signed-in person, or a guest whose browser named its zone in a cookie; the reader of a mail or receipt is the person it
is for. `accounts.moments` writes times, always with their zone beside them.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import tzinfo
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import User
from accounts.places_and_languages import canonical_time_zones, known_time_zones

# A page's script sets it from Intl.DateTimeFormat().resolvedOptions().timeZone; nothing depends on it.
COOKIE = "time_zone"


class Happening(Protocol):
    """Something at a time: a workshop, a lesson, a listing."""

    @property
    def place_zone(self) -> tzinfo | None:
        """The zone of the place where it happens; None for what happens online."""


def zone_for(what: Happening, *, reader: tzinfo) -> tzinfo:
    """The zone in which the times of something are written for a reader."""
    return what.place_zone or reader


class TimeZoneMiddleware:
    """Activates the reader's time zone for the length of a request. Must come after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """The zone of the reader of a page; anything unknown, such as a forged cookie, falls back to the site's."""
    if isinstance(request.user, User):
        return zone_of_user(request.user)
    return zone_named(request.COOKIES.get(COOKIE)) or _site_zone()


def zone_of_user(user: User) -> zoneinfo.ZoneInfo:
    """A person's own zone; the site's if there are no longer rules for it."""
    return zone_named(user.time_zone) or _site_zone()


def zone_of_buyer(buyer_id: int | None) -> tzinfo:
    """The zone of a buyer known by id; for a guest the active one, which is their browser's. One query."""
    name = User.objects.filter(pk=buyer_id).values_list("time_zone", flat=True).first() if buyer_id else None
    return zone_named(name) or timezone.get_current_timezone()


def zone_named(name: str | None) -> zoneinfo.ZoneInfo | None:
    """The zone of this name; None without rules for it."""
    known = known_or_none(name)
    return zoneinfo.ZoneInfo(known) if known else None


def known_or_none(name: str | None) -> str | None:
    """Return the name to store for a zone with rules. ZoneInfo opens files by name: a cookie must not choose which."""
    return canonical_time_zones()[name.lower()] if name in known_time_zones() else None


def _site_zone() -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(settings.TIME_ZONE)
