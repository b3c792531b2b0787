"""Mails to the owners of endpoints."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.moments import write_moment
from accounts.time_zones import zone_of_user
from notifications.outbox import queue_mail
from webhooks.models import Endpoint


def queue_endpoint_created(endpoint: Endpoint) -> None:
    """Tell the owner, in case another person made the endpoint."""
    _queue(endpoint, key=f"webhook-endpoint:{endpoint.pk}:created", template="endpoint_created")


def queue_endpoint_disabled(endpoint: Endpoint) -> None:
    """Tell the owner that nothing is sent any more, and why."""
    at = timezone.now().isoformat()
    _queue(
        endpoint,
        key=f"webhook-endpoint:{endpoint.pk}:disabled:{at}",
        template="endpoint_disabled",
        reason=endpoint.disabled_because,
    )


def queue_delivery_parked(endpoint: Endpoint) -> None:
    """Tell the owner that messages were given up: one mail a day, however many."""
    today = timezone.now().date().isoformat()
    _queue(endpoint, key=f"webhook-endpoint:{endpoint.pk}:parked:{today}", template="delivery_parked")


def _queue(endpoint: Endpoint, *, key: str, template: str, **more: Any) -> None:
    queue_mail(
        key=key,
        to=endpoint.user,
        template=f"webhooks/mail/{template}",
        context={
            "url": endpoint.url,
            "at": write_moment(timezone.now(), zone_of_user(endpoint.user)),
            "path": reverse("webhooks:endpoint", args=[endpoint.pk]),
            **more,
        },
    )
