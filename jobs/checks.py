"""System checks for mistakes in a kind of durable work that would otherwise show only when a worker dies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from jobs import registry
from jobs.models import DurableWork

SHORTEST_LEASE = timedelta(seconds=20)


@register
def check_durable_work(**kwargs: Any) -> list[Error]:  # noqa: ARG001  # Django's signature
    """Leases leave room for Celery's time limits, every queue has workers, and every kind has a performer."""
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    errors = [
        Error(f"{model._meta.label}.lease is shorter than {SHORTEST_LEASE.seconds} seconds.", id="jobs.E001")
        for model in registry.work_models()
        if model.lease < SHORTEST_LEASE
    ]
    errors += [
        Error(f"{model._meta.label}.queue {model.queue!r} is not in CELERY_TASK_QUEUES.", id="jobs.E002")
        for model in registry.work_models()
        if model.queue not in queues
    ]
    errors += [
        Error(f"Nothing performs {model._meta.label}: its app registers nothing in performers.py.", id="jobs.E003")
        for model in registry.work_models()
        if not _is_performed(model)
    ]
    return errors


def _is_performed(model: type[DurableWork]) -> bool:
    try:
        registry.performer_of(model)
    except registry.NoPerformer:
        return False
    return True
