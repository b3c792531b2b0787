"""The inbox of Stripe's webhook events."""

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
    """One event from Stripe, stored once before it is acknowledged. `payload` is the signed body, or as Stripe's event list has it.

    It is processed from the payload alone. An event whose object must be fetched from Stripe first is a FetchedEvent.
    """

    queue = "urgent"
    lane: ClassVar[Mapping[str, bool]] = {"needs_fetch": False}
    lease = timedelta(seconds=30)
    max_attempts = 12
    # The waits double from one second to a quarter of an hour: two hours in total.
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
    # Which of the two lanes it is in. Set by its route, or once it turns out that Stripe must confirm it.
    needs_fetch = models.BooleanField(db_default=False, editable=False)
    # Set while it is processed.
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="events", db_index=False
    )
    outcome = models.CharField(max_length=200, blank=True, db_default="")
    is_quarantined = models.BooleanField(db_default=False)

    class Meta(DurableWork.Meta):
        # Stripe waits while an event is stored, so storing writes no index without need: no second one for LIKE, none
        # on the order, which is not known yet, and a BRIN index on the time, which costs almost nothing.
        constraints = [models.UniqueConstraint(fields=["stripe_id"], name="event_stored_once")]
        indexes = [
            # One for each lane, so that the urgent lane never reads events that wait for Stripe.
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
    """An event that is processed with its object's current state at Stripe, not the state when the event was created.

    The same rows in another lane and on another queue: one audit trail shows every event's attempts and outcome, and a
    slow call to Stripe delays no delivery. Attempts go on for more than three days, in case Stripe is down that long.
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
    """One attempt to process an event, and its outcome: the audit trail of the inbox."""

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
    """How far Stripe's event list has been searched for one group of types, from the oldest event to the newest.

    If a release changes a group, it is a new one, and is searched from as far back as Stripe keeps events.
    """

    types = models.TextField(unique=True, editable=False)
    searched_until = models.DateTimeField()
    # The time that one slice of the search spans; it adapts to the number of events.
    slice_length = models.DurationField()

    class Meta:
        verbose_name_plural = "event searches"

    def __str__(self) -> str:
        return f"until {self.searched_until:%Y-%m-%d %H:%M}"
