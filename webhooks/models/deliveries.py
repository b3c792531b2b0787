"""Events, and the delivery of each to each endpoint that wants it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from jobs.models import DurableWork
from webhooks.models.endpoints import Endpoint

LONGEST_BEGINNING = 500


class Event(models.Model):
    """What happened, as one person may see it: student, teacher and staff have an event each. Never changed.

    Written only by `webhooks.announcing`, and only if an endpoint wants it. `key` says what happened to what and for
    whom, so that announcing it again adds nothing.
    """

    key = models.CharField(max_length=200, unique=True, editable=False)
    # The `webhook-id` of each message about it.
    message_id = models.CharField(max_length=50, unique=True, editable=False)
    type = models.CharField(max_length=50)
    version = models.PositiveSmallIntegerField()
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="webhook_event_by_age")]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class Delivery(DurableWork):
    """One event for one endpoint, sent until it is answered with success or given up.

    An endpoint that is off or disabled gets its deliveries parked, so that they can be replayed. Postponing (the
    endpoint is paused, or busy with others) counts as no try.
    """

    queue = "webhooks"
    # A request may take 15 seconds, and looking up its address as long again.
    lease = timedelta(seconds=90)
    # With growing delays that is about two and a half days.
    max_attempts = 18
    max_postponements = 30_000
    first_retry_delay = timedelta(seconds=5)
    longest_retry_delay = timedelta(hours=12)

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    tries = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    tried_at = models.DateTimeField("last try", null=True, editable=False)
    # Of the last try: the status code, empty if there was no answer; the beginning of the answer; how long it took.
    answer_status = models.PositiveSmallIntegerField("answer", null=True, editable=False)
    answer_beginning = models.CharField(
        max_length=LONGEST_BEGINNING, blank=True, default="", db_default="", editable=False
    )
    duration_ms = models.PositiveIntegerField("milliseconds", null=True, editable=False)

    class Meta(DurableWork.Meta):
        verbose_name_plural = "webhook deliveries"
        indexes = [
            *DurableWork.Meta.indexes,
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_delivery_of_endpoint"),
            models.Index(fields=["endpoint"], condition=Q(state="running"), name="webhook_delivery_running"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once_per_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.event.type} to {self.endpoint.url}"

    def record_try(self, **answer: Any) -> None:
        """Store what came of a try, whatever follows from it. Raises ClaimLost."""
        self._record_outcome(tries=self.tries + 1, tried_at=Now(), **answer)

    @property
    def needs_no_try(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in (Delivery.State.DONE, Delivery.State.PARKED)
