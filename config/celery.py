"""The Celery application. What runs by the clock is declared in the apps' AppConfigs, see `jobs.schedule`."""

from __future__ import annotations

import gc
import os
from typing import Any

import structlog
from celery import Celery, signals

from config.logging import apply

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("lectern")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


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
