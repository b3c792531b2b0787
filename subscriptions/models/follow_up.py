"""The follow-up of a subscription as durable work."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from jobs.models import DurableWork
from subscriptions.models.subscription import Subscription


class FollowUp(DurableWork):
    """Looks at Stripe when something should have happened: a page expired, a period ended, a payment is late.

    One for each subscription, from its start until it has ended. Usually an event was faster, and there is nothing to do.
    """

    queue = "stripe"
    lease = timedelta(seconds=60)
    max_attempts = 100
    # Postponed to each next moment of a subscription, which may run for decades.
    max_postponements = 30_000

    subscription = models.OneToOneField(Subscription, on_delete=models.CASCADE, related_name="follow_up")

    def __str__(self) -> str:
        return f"follow-up of {self.subscription}"
