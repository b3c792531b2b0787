"""What is owed to students once the disputes of their payments are decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from money import Money
from payments.models.order import OrderLine
from payments.models.refund import Refund


class RefundAfterDispute(models.Model):
    """An amount of a line that must be refunded, but is disputed: it is refunded by itself if the dispute is won.

    It was cancelled while it was disputed, or its refund failed because of the dispute. Never changed but for `refund`.
    """

    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="refunds_after_disputes")
    amount_minor = models.PositiveBigIntegerField()
    quantity = models.PositiveSmallIntegerField(help_text="How many places go back with the money.")
    reason = models.CharField(max_length=20, choices=Refund.Reason)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    failed = models.ForeignKey(
        Refund,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="after_disputes",
        help_text="The refund that failed because of the dispute.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # The last refund of the payment before it: what was refunded of the line after that is no longer owed.
    last_refund_id = models.BigIntegerField(default=0, editable=False)
    refund = models.ForeignKey(
        Refund,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="paid_after_disputes",
        help_text="The last refund that was requested because of it.",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_after_dispute_of_something"),
            models.UniqueConstraint(fields=["failed", "line"], name="refund_after_dispute_once_per_failure"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.line}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.line.order.currency)
