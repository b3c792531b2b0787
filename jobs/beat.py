"""Celery beat without a schedule file, and without messages that no worker would take.

Nothing is lost by keeping the schedule in memory: what must not be skipped asks `jobs.heartbeats.take_turn` for its turn
and is scheduled often enough that one missed tick does not matter.
"""

from __future__ import annotations

from typing import Any

from celery.beat import ScheduleEntry, Scheduler

from jobs.messages import send


class BoundedScheduler(Scheduler):
    """Skips a tick when the queue is already full: with all workers down for a day, Redis stays small."""

    def apply_async(self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **kwargs: Any) -> None:  # noqa: ARG002  # Celery's signature
        """Send the entry's message. Beat logs what the broker's client raises, and goes on."""
        if advance:
            self.reserve(entry)
        options = {"queue": self.app.conf.task_default_queue, **(entry.options or {})}
        send(str(entry.task), tuple(entry.args or ()), kwargs=entry.kwargs or {}, **options)
