"""The Celery application. The apps' AppConfigs declare periodic work, see `jobs.schedule`."""

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
    """Use our log handlers instead of Celery's."""
    from django.conf import settings

    apply(settings.LOGGING)


@signals.worker_before_create_process.connect
def freeze_loaded_objects(**_: Any) -> None:
    """Exclude loaded objects from garbage collection before a fork, so that their memory stays shared."""
    gc.collect()
    gc.freeze()


@signals.task_prerun.connect
def name_the_task_in_its_logs(task_id: str, task: Any, **_: Any) -> None:
    """Add the task's name and id to every line logged inside it."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)
