"""Which process runs a periodic task, and when the task last ran."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from jobs.models import Heartbeat


def take_turn(*, name: str, every: timedelta) -> bool:
    """Whether it is time to do `name` and no other process is doing it; if so, record its heartbeat.

    Two schedulers, or a message delivered twice, therefore act once. Pass a little less than the schedule's period: the
    ticks of a clock are never exactly apart.
    """
    with transaction.atomic():
        if not _locked_until_commit(name):
            return False
        if Heartbeat.objects.filter(name=name, seen_at__gt=Now() - every).exists():
            return False
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name)], update_conflicts=True, unique_fields=["name"], update_fields=["seen_at"]
        )
        return True


def note(*, name: str, at: datetime) -> None:
    """Record that `name` was done at a moment. Unlike a turn, which counts from its start, this marks the end."""
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": at})


def last_seen(name: str) -> datetime | None:
    """When `name` took its latest turn or was noted; None if never."""
    return Heartbeat.objects.filter(name=name).values_list("seen_at", flat=True).first()


def is_missing(name: str, *, within: timedelta) -> bool:
    """Whether `name` has not been seen for `within`: by the database's clock, which also wrote it."""
    return not Heartbeat.objects.filter(name=name, seen_at__gt=Now() - within).exists()


def _locked_until_commit(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"heartbeat {name}"])
        return bool(cursor.fetchone()[0])
