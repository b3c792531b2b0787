"""Times in templates: `{{ order.paid_at|moment }}`, `{% when lesson %}`. The reader's zone is the active one."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Protocol

from django import template
from django.utils import timezone

from accounts.moments import write_day, write_moment, write_span
from accounts.time_zones import Happening, zone_for

register = template.Library()


class _Span(Happening, Protocol):
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


@register.filter
def moment(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Day, time and zone: the reader's, or the one given. Nothing for None."""
    return write_moment(at, zone or timezone.get_current_timezone()) if at else ""


@register.filter
def day(at: datetime | None) -> str:
    """The day of a moment for its reader, where the hour does not matter. Nothing for None."""
    return write_day(at, timezone.get_current_timezone()) if at else ""


@register.simple_tag
def when(span: _Span) -> str:
    """From when to when something takes place, in the zone that the rule says."""
    return write_span(span.starts_at, span.ends_at, zone_for(span, reader=timezone.get_current_timezone()))


@register.simple_tag
def begins(what: Happening, at: datetime) -> str:
    """When something begins, in the zone that the rule says."""
    return write_moment(at, zone_for(what, reader=timezone.get_current_timezone()))
