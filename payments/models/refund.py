"""Money on its way back to a student."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q

from jobs.models import DurableWork
from money import Money
from payments.models.order import OrderLine


class Refund(DurableWork):
    """A refund of one order line: written first, sent to Stripe by a worker, made true by Stripe's confirmation."""

    queue = "default"
    lease = timedelta(seconds=90)
    max_attempts = 30

    class Status(models.TextChoices):
        REQUESTED = "requested"
        PENDING = "pending", "sent, not yet confirmed"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    class Reason(models.TextChoices):
        UNDELIVERABLE = "undeliverable", "paid, but could not be delivered"

    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.CharField(max_length=300, blank=True)
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    stripe_refund_id = models.CharField(max_length=100, unique=True, null=True, blank=True)

    class Meta(DurableWork.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_of_something"),
            models.UniqueConstraint(
                fields=["line"], condition=Q(reason="undeliverable"), name="refund_undeliverable_line_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.line}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
