"""What Stripe told us: the inbox of webhook events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from jobs.models import DurableWork
from payments.models.order import Order


class WebhookEvent(DurableWork):
    """One event of Stripe, stored once before it is answered and kept a year. `payload` is the signed body.

    Acts on the payload at once. An event whose object must be fetched from Stripe first is a FetchedEvent.
    """

    queue = "urgent"
    lane: ClassVar[Mapping[str, bool]] = {"needs_fetch": False}
    lease = timedelta(seconds=30)
    max_attempts = 12
    # Waits that double from one second to a quarter of an hour: two hours in all.
    max_postponements = 17
    first_retry_delay = timedelta(seconds=1)

    class Source(models.TextChoices):
        WEBHOOK = "webhook"
        BACKFILL = "backfill", "found in Stripe's event list"

    stripe_id = models.CharField(max_length=100)
    type = models.CharField(max_length=100)
    livemode = models.BooleanField()
    payload = models.JSONField()
    source = models.CharField(max_length=10, choices=Source, db_default=Source.WEBHOOK)
    # Which of the two lanes it stands in. Set by its route, or once it turned out that Stripe must be asked.
    needs_fetch = models.BooleanField(db_default=False, editable=False)
    # Filled while it is worked on.
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="events", db_index=False
    )
    outcome = models.CharField(max_length=200, blank=True, db_default="")
    is_quarantined = models.BooleanField(db_default=False)

    class Meta(DurableWork.Meta):
        # Stripe waits while an event is stored, so it has no index that storing would have to write without need: no
        # second one for LIKE, none on an order that is not known yet, and by time one that costs next to nothing.
        constraints = [models.UniqueConstraint(fields=["stripe_id"], name="event_stored_once")]
        indexes = [
            # One for each lane: however many events wait for Stripe, the urgent lane reads none of them.
            models.Index(
                fields=["priority", "run_after"],
                condition=models.Q(state__in=["waiting", "running"], needs_fetch=False),
                name="event_due",
            ),
            models.Index(
                fields=["priority", "run_after"],
                condition=models.Q(state__in=["waiting", "running"], needs_fetch=True),
                name="event_due_to_fetch",
            ),
            models.Index(fields=["order"], condition=models.Q(order__isnull=False), name="event_of_order"),
            BrinIndex(fields=["created_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.stripe_id}"


class FetchedEvent(WebhookEvent):
    """An event that acts on its object as Stripe has it now, not as it was when the event was made.

    The same rows in another lane and on another queue, so that one audit trail shows every event's attempts and outcome,
    and no unanswered call to Stripe stands before somebody's delivery. Attempts last for more than three days, which
    Stripe may be down.
    """

    queue = "stripe"
    lane: ClassVar[Mapping[str, bool]] = {"needs_fetch": True}
    lease = timedelta(seconds=90)
    max_attempts = 90

    class Meta:
        proxy = True
        verbose_name = "webhook event to fetch for"
        verbose_name_plural = "webhook events to fetch for"


class EventAttempt(models.Model):
    """One try to work on an event and how it went; the audit trail of the inbox."""

    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(db_default=Now())
    milliseconds = models.PositiveIntegerField()
    outcome = models.CharField(max_length=200)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return self.outcome


class EventSearch(models.Model):
    """How far Stripe's event list has been searched for one group of types, from the oldest to the newest.

    A group that changes with a release is a new one, and is searched from as far back as Stripe keeps events.
    """

    types = models.TextField(unique=True, editable=False)
    searched_until = models.DateTimeField()
    # How much time one slice of the search spans; adapts to how many events there are.
    slice_length = models.DurationField()

    class Meta:
        verbose_name_plural = "event searches"

    def __str__(self) -> str:
        return f"until {self.searched_until:%Y-%m-%d %H:%M}"
