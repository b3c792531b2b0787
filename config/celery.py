"""The Celery application and its schedule."""

from __future__ import annotations

import gc
import os
from typing import Any

import structlog
from celery import Celery, signals
from celery.schedules import crontab

from config.logging import apply

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("lectern")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "find work nobody was told about": {
        "task": "jobs.sweep",
        "schedule": 2.0,
        # A sweep is worth nothing once the next one has been sent.
        "options": {"queue": "urgent", "expires": 10},
    },
    "take in events that never arrived": {
        "task": "payments.take_in_missed_events",
        "schedule": 600.0,
        "options": {"queue": "background", "expires": 600},
    },
    "delete webhook events that were kept long enough": {
        "task": "payments.delete_old_events",
        "schedule": 3600.0,
        "options": {"queue": "background", "expires": 3600},
    },
    "delete files that no row names": {
        # At an hour rather than after a time: a clock that is started anew each day would never get there.
        "task": "uploads.delete_orphans",
        "schedule": crontab(hour=3, minute=40),
        "options": {"queue": "background", "expires": 3600},
    },
    "let lesson requests nobody answered lapse": {
        "task": "bookings.lapse_old_requests",
        "schedule": 900.0,
        "options": {"queue": "background", "expires": 900},
    },
}


@signals.setup_logging.connect
def use_the_sites_logging(**_: Any) -> None:
    """Keep Celery from putting its own handlers in place of ours."""
    from django.conf import settings

    apply(settings.LOGGING)


@signals.worker_before_create_process.connect
def stop_looking_at_what_was_loaded(**_: Any) -> None:
    """Before a process is forked: what was loaded never becomes garbage, and memory nobody writes to stays shared."""
    gc.collect()
    gc.freeze()


@signals.task_prerun.connect
def name_the_task_in_its_logs(task_id: str, task: Any, **_: Any) -> None:
    """Every line logged inside a task says which one it was."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)
