"""The Stripe objects that the dj-stripe mirror must read again."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from jobs.models import DurableWork


class MirrorSync(DurableWork):
    """Work that copies one object from Stripe to dj-stripe's tables. One row per object; each event about it queues it.

    If an event queues a row while a worker holds it, it stays queued, because that ends the worker's claim.
    """

    queue = "stripe"
    lease = timedelta(seconds=90)
    max_attempts = 15

    object_type = models.CharField(max_length=50)
    object_id = models.CharField(max_length=100)

    class Meta(DurableWork.Meta):
        constraints = [
            models.UniqueConstraint(fields=["object_type", "object_id"], name="mirror_sync_once_per_object"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.object_id}"
