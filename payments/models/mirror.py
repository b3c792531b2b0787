"""Which objects of Stripe the dj-stripe mirror must read again."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from jobs.models import DurableWork


class MirrorSync(DurableWork):
    """Read one object from Stripe into dj-stripe's tables: one row per object, put back in line by each event about it.

    A row touched while it is being worked on stays in line, because touching it ends that claim's right to finish it.
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
