"""Deliveries are kept for a time, and events as long as one of their deliveries."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from jobs.retention import Kept
from webhooks.models import Delivery, Event


def expired_deliveries(kept: timedelta) -> QuerySet[Delivery]:
    """Deliveries that arrived or were given up; what still waits stays."""
    return Delivery.objects.filter(created_at__lt=Now() - kept, state__in=[Delivery.State.DONE, Delivery.State.PARKED])


def expired_events(kept: timedelta) -> QuerySet[Event]:
    """Events without a delivery."""
    has_delivery = Exists(Delivery.objects.filter(event=OuterRef("pk")))
    return Event.objects.filter(~has_delivery, created_at__lt=Now() - kept)


RETENTION = (
    Kept(name="webhooks.deliveries", setting="WEBHOOK_DELIVERIES_KEPT", expired=expired_deliveries),
    Kept(name="webhooks.events", setting="WEBHOOK_DELIVERIES_KEPT", expired=expired_events),
)
