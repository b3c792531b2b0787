"""The history of each refund: what happened when, and who did it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from payments.models.clock import ClockTimestamp
from payments.models.refund import Refund


class RefundChange(models.Model):
    """One change of a refund. Append-only: triggers refuse updates and deletions.

    A trigger writes every change of the refund's status, so that no code path can forget one. The other kinds are
    written by the functions that make these changes.
    """

    class Kind(models.TextChoices):
        # The statuses of a refund.
        REQUESTED = "requested"
        PENDING = "pending", "Sent, not yet confirmed"
        REQUIRES_ACTION = "requires_action", "The student must act at Stripe"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELED = "canceled", "Cancelled"
        # Staff assigned a refund made at Stripe to lines.
        ALLOCATED = "allocated", "Allocated to lines"
        # What the lines had delivered was taken back.
        REVOKED = "revoked", "Taken back"

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField(db_default=ClockTimestamp())
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="refund_changes"
    )
    note = models.CharField(max_length=300, blank=True, help_text="Stripe's reason, or why staff did it.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.refund}"
