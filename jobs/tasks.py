"""What Celery runs: drains and the sweep. No message carries work; the rows do."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.db import DatabaseError

from jobs import heartbeats, messages, registry, retention, runner
from jobs.wakeups import wake

# Short, so that a long queue of one kind lets the other kinds of its queue have their turn.
_SLICE_SECONDS = 5.0
SWEEP_SECONDS = 2.0
# Asked every hour, done once a day: a tick that is missed does not cost a day.
_DELETE_EVERY = timedelta(hours=23)

log = structlog.get_logger(__name__)


@shared_task(name=messages.DRAIN)
def drain(label: str) -> None:
    """Do due rows of one kind for a while, calling others to help, then hand over what is left."""
    model = registry.work_model(label)
    if model.due()[1:2].exists():
        # More than one row: the next worker takes its share and asks the one after it.
        wake(model)
    runner.drain(model, seconds=_SLICE_SECONDS)
    if model.due().exists():
        wake(model)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    """Find due rows nobody was told about: lost messages, killed workers, retries whose time has come."""
    if not heartbeats.take_turn(name="jobs.sweep", every=timedelta(seconds=SWEEP_SECONDS * 0.75)):
        return
    for model in registry.work_models():
        if model.due().exists():
            wake(model)


@shared_task(name="jobs.delete_expired")
def delete_expired() -> None:
    """Delete what was kept long enough, once a day and kind; one kind that fails keeps no other from going."""
    for kept in retention.registered_retention():
        if not heartbeats.take_turn(name=f"jobs.delete_expired {kept.name}", every=_DELETE_EVERY):
            continue
        try:
            retention.delete_expired(kept)
        except DatabaseError:
            log.exception("expired_rows_not_deleted", kept=kept.name)
