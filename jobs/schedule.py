"""Periodic tasks: each app declares its own in its AppConfig as `periodic_work`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.schedules import BaseSchedule
from django.apps import apps


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicWork:
    """A Celery task and when beat sends its message: after each `every`, or at the times of a Celery schedule.

    `expires` is the age at which a message is dropped; a schedule must give it.
    """

    task: str
    every: timedelta | BaseSchedule
    queue: str = "background"
    expires: timedelta | None = None

    def as_entry(self) -> dict[str, Any]:
        """The entry in beat's format. A message expires when the next one is sent, unless `expires` says otherwise."""
        expires = self.expires or self.every
        if not isinstance(expires, timedelta):
            raise TypeError(f"{self.task} needs to say when its messages expire")
        return {
            "task": self.task,
            "schedule": self.every.total_seconds() if isinstance(self.every, timedelta) else self.every,
            "options": {"queue": self.queue, "expires": expires.total_seconds()},
        }


def beat_schedule() -> dict[str, dict[str, Any]]:
    """The entries of all installed apps, by the name of their task."""
    declared: list[PeriodicWork] = [
        work for config in apps.get_app_configs() for work in getattr(config, "periodic_work", ())
    ]
    return {work.task: work.as_entry() for work in declared}
