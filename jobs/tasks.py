"""The Celery tasks: drains and the sweep. The work is in the rows, never in a message."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.db import DatabaseError

from jobs import heartbeats, messages, registry, retention, runner
from jobs.wakeups import wake

# Short, so that the other kinds of the same queue get their turn during a long backlog of one kind.
_SLICE_SECONDS = 5.0
SWEEP_SECONDS = 2.0
# Tried every hour, done once a day: a missed tick does not cost a day.
_DELETE_EVERY = timedelta(hours=23)

log = structlog.get_logger(__name__)


@shared_task(name=messages.DRAIN)
def drain(label: str) -> None:
    """Perform due rows of one kind for a while, waking other workers to help, then hand over the rest."""
    model = registry.work_model(label)
    if model.due()[1:2].exists():
        # More than one row is due: the next worker takes its share and wakes the one after it.
        wake(model)
    runner.drain(model, seconds=_SLICE_SECONDS)
    if model.due().exists():
        wake(model)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    """Find due rows that no worker was woken for: lost messages, killed workers, retries that have come due."""
    if not heartbeats.take_turn(name="jobs.sweep", every=timedelta(seconds=SWEEP_SECONDS * 0.75)):
        return
    for model in registry.work_models():
        if model.due().exists():
            wake(model)


@shared_task(name="jobs.delete_expired")
def delete_expired() -> None:
    """Delete what was kept long enough, once a day for each kind; a failure of one kind does not stop the others."""
    for kept in retention.registered_retention():
        if not heartbeats.take_turn(name=f"jobs.delete_expired {kept.name}", every=_DELETE_EVERY):
            continue
        try:
            retention.delete_expired(kept)
        except DatabaseError:
            log.exception("expired_rows_not_deleted", kept=kept.name)
