"""What Celery runs: drains and the sweep. No message carries work; the rows do."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from jobs import heartbeats, publishing, running
from jobs.models import DurableWork
from jobs.waking import wake

# Short, so that a long queue of one kind lets the other kinds of its queue have their turn.
_SLICE_SECONDS = 5.0
SWEEP_SECONDS = 2.0


def drain_message(model: type[DurableWork]) -> None:
    """Send the message that makes a worker do due rows of `model`. Raises what the broker's client raises.

    The time limits end before the lease of the first row claimed: nothing is stopped by Celery but still running when
    another worker takes it over.
    """
    lease = model.lease.total_seconds()
    publishing.send(
        drain.name, (model._meta.label,), queue=model.queue, soft_time_limit=lease - 10, time_limit=lease - 5
    )


@shared_task(name="jobs.drain")
def drain(label: str) -> None:
    """Do due rows of one kind for a while, calling others to help, then hand over what is left."""
    model = running.work_model(label)
    if model.due()[1:2].exists():
        # More than one row: the next worker takes its share and asks the one after it.
        wake(model)
    running.drain(model, seconds=_SLICE_SECONDS)
    if model.due().exists():
        wake(model)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    """Find due rows nobody was told about: lost messages, killed workers, retries whose time has come."""
    if not heartbeats.take_turn(name="jobs.sweep", every=timedelta(seconds=SWEEP_SECONDS * 0.75)):
        return
    for model in running.work_models():
        if model.due().exists():
            wake(model)
