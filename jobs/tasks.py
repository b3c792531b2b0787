"""What Celery runs: drains and the sweep. No message carries work; the rows do."""

from celery import shared_task
from django.apps import apps

from jobs import running

# Well below the task time limit, so a long queue is handed on rather than cut off.
_DRAIN_SECONDS = 30.0


@shared_task(name="jobs.drain")
def drain(label: str) -> None:
    """Do all due rows of one kind, then hand over to a fresh message if there are more."""
    model = apps.get_model(label)
    running.drain(model, seconds=_DRAIN_SECONDS)
    if model.due().exists():
        drain.apply_async((label,), queue=model.queue)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    """Find due rows nobody was told about: lost messages, killed workers, retries whose time has come."""
    for model in running.work_models():
        if model.due().exists():
            drain.apply_async((model._meta.label,), queue=model.queue)
