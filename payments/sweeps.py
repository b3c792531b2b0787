"""Find events that no webhook delivered, in Stripe's own list.

The list is searched from the oldest event that may be missing to the newest, in slices of time. Each finished slice is
recorded, so an interrupted run loses no more than its last slice, and the events of an outage of weeks are stored in
several runs, however many there were.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

import structlog
from django.utils import timezone

from jobs import heartbeats
from jobs.wakeups import wake_after_commit
from notifications.alerts import raise_alert
from payments import gateway
from payments.models import EventSearch, FetchedEvent, WebhookEvent
from payments.webhook.event_types import LISTENED_FOR
from payments.webhook.inbox import store_events

log = structlog.get_logger()

# Stripe keeps events for 30 days.
_FURTHEST_BACK = timedelta(days=30)
# Searched again each time: an event may appear in the list a little after later ones.
_OVERLAP = timedelta(hours=1)
_SEARCH = "payments.take_in_missed_events"
# Well within the soft limit of Celery's tasks.
_SECONDS_PER_RUN = 60.0
_FIRST_SLICE, _SHORTEST_SLICE = timedelta(hours=6), timedelta(seconds=1)
# A slice of more pages is halved, so that an interruption loses little work.
_PAGES_PER_SLICE = 20


class _Slice(Enum):
    """The result of searching a slice."""

    SMALL = "stored from one page"
    STORED = "stored"
    TOO_LARGE = "left for a shorter slice"
    OUT_OF_TIME = "interrupted"


def take_in_missed_events(*, types: Sequence[str] = LISTENED_FOR, seconds: float = _SECONDS_PER_RUN) -> int:
    """Store the events of these types that Stripe lists and the inbox lacks; returns how many were missing.

    Stops after `seconds`; the next run continues from there. Raises StripeUnreachable; what was found and
    recorded until then is kept.
    """
    began_at, stops_at, found = timezone.now(), time.monotonic() + seconds, 0
    is_complete = True
    try:
        for start in range(0, len(types), gateway.TYPES_PER_LIST):
            search = _Search(types[start : start + gateway.TYPES_PER_LIST], until=began_at, stops_at=stops_at)
            try:
                is_complete &= search.run()
            finally:
                found += search.found
    finally:
        if found:
            wake_after_commit(WebhookEvent)
            wake_after_commit(FetchedEvent)
            log.warning("missed_events_found", count=found)
    if is_complete:
        heartbeats.note(name=_SEARCH, at=began_at)
    else:
        log.warning("event_search_continues", seconds=seconds)
    return found


class _Search:
    """One run's search for one group of types."""

    def __init__(self, types: Sequence[str], *, until: datetime, stops_at: float) -> None:
        self.found = 0
        self._types = types
        self._until = until
        self._stops_at = stops_at
        furthest = until - _FURTHEST_BACK
        self._progress, _ = EventSearch.objects.get_or_create(
            types=",".join(types), defaults={"searched_until": furthest, "slice_length": _FIRST_SLICE}
        )
        self._position = max(self._progress.searched_until, furthest).replace(microsecond=0)

    def run(self) -> bool:
        """Search slice after slice; False if the time was up before the newest one."""
        while True:
            end = self._position + self._progress.slice_length
            is_last = end >= self._until
            outcome = self._search_slice(None if is_last else end)
            if outcome in (_Slice.TOO_LARGE, _Slice.OUT_OF_TIME):
                spanned = min(self._progress.slice_length, self._until - self._position)
                self._progress.slice_length = max(spanned / 2, _SHORTEST_SLICE)
                self._record(self._position)
                if outcome == _Slice.OUT_OF_TIME:
                    return False
                continue
            if outcome == _Slice.SMALL:
                self._progress.slice_length = min(self._progress.slice_length * 2, _FURTHEST_BACK)
            # The overlap is always searched again, so the next run finds events that appear late.
            self._record(min(end, self._until - _OVERLAP))
            if is_last:
                return True
            self._position = end
            if time.monotonic() >= self._stops_at:
                return False

    def _search_slice(self, end: datetime | None) -> _Slice:
        is_shortest = self._progress.slice_length <= _SHORTEST_SLICE
        pages = 0
        for events in gateway.list_event_pages(created_from=self._position, created_before=end, types=self._types):
            # The shortest slice is always searched in full; otherwise no run would ever finish it.
            if pages and not is_shortest and time.monotonic() >= self._stops_at:
                return _Slice.OUT_OF_TIME
            if pages >= _PAGES_PER_SLICE and not is_shortest:
                return _Slice.TOO_LARGE
            stored, problems = store_events(events, source=WebhookEvent.Source.BACKFILL)
            self.found += stored
            for problem in problems:
                raise_alert(
                    key=f"event-unusable:{problem.kind}", title=f"An event in Stripe's list is unusable: {problem}"
                )
            pages += 1
        return _Slice.STORED if pages > 1 else _Slice.SMALL

    def _record(self, searched_until: datetime) -> None:
        """Record the progress, unless a concurrent run is further."""
        EventSearch.objects.filter(pk=self._progress.pk).update(slice_length=self._progress.slice_length)
        EventSearch.objects.filter(pk=self._progress.pk, searched_until__lt=searched_until).update(
            searched_until=searched_until
        )
