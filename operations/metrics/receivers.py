"""Count what the layers below report: webhooks, durable work, Celery tasks and Stripe's circuit."""

from __future__ import annotations

import time
from typing import Any

from celery import signals as celery_signals
from django.conf import settings
from django.dispatch import receiver

from jobs.models import DurableWork
from jobs.signals import work_ended
from operations.metrics.instruments import (
    STRIPE_DOWN,
    TASK_SECONDS,
    TASKS,
    WEBHOOKS,
    WEBHOOKS_PROCESSED,
    WORK,
    WORK_SECONDS,
)
from operations.metrics.listener import listen
from payments.models import WebhookEvent
from payments.signals import stripe_availability_changed, webhook_answered
from payments.webhook.event_types import LISTENED_FOR, LISTENED_FOR_ON_ACCOUNTS

_TYPES = frozenset({*LISTENED_FOR, *LISTENED_FOR_ON_ACCOUNTS})
_BEGAN = "lectern_metrics_began"


@receiver(webhook_answered)
def count_webhook(event_type: str, outcome: str, **_: Any) -> None:
    """Count a request to the webhook endpoint."""
    WEBHOOKS.labels(_known_type(event_type), outcome).inc()


@receiver(work_ended)
def count_work(work: DurableWork, outcome: str, seconds: float, **_: Any) -> None:
    """Count an attempt at durable work."""
    WORK.labels(work._meta.label, outcome).inc()
    WORK_SECONDS.labels(work._meta.label).observe(seconds)
    if isinstance(work, WebhookEvent):
        WEBHOOKS_PROCESSED.labels(_known_type(work.type), outcome).inc()


@receiver(stripe_availability_changed)
def note_availability(is_down: bool, **_: Any) -> None:
    """Note whether this process counts Stripe as down."""
    STRIPE_DOWN.set(int(is_down))


@celery_signals.task_prerun.connect
def note_beginning(task: Any, **_: Any) -> None:
    """Note when a task began."""
    task.request.update({_BEGAN: time.perf_counter()})


@celery_signals.task_postrun.connect
def count_task(task: Any, state: str | None = None, **_: Any) -> None:
    """Count a task that ended, whether well or not."""
    TASKS.labels(task.name, (state or "unknown").lower()).inc()
    began = getattr(task.request, _BEGAN, None)
    if began is not None:
        TASK_SECONDS.labels(task.name).observe(time.perf_counter() - began)


@celery_signals.worker_ready.connect
def serve_metrics(**_: Any) -> None:
    """Serve this machine's metrics on a port of their own, if METRICS_PORT names one."""
    if settings.METRICS_PORT:
        listen(settings.METRICS_PORT)


def _known_type(event_type: str) -> str:
    """The type, if we listen for it: Stripe, or a forger of signatures, may send any."""
    return event_type if event_type in _TYPES else "other" if event_type else "none"
