"""Early fraud warnings: a card's bank reports a payment as fraud, usually some days before it is disputed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from payments.models.payment import Payment
from payments.models.refund import Refund


class FraudWarning(models.Model):
    """One early fraud warning of Stripe's, as it was when we last fetched it. No money moves because of it."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="fraud_warnings")
    stripe_warning_id = models.CharField(max_length=100, unique=True)
    fraud_type = models.CharField(max_length=50, help_text="The bank's reason.")
    is_actionable = models.BooleanField(help_text="Stripe's word for whether a refund can still prevent a dispute.")
    warned_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    refund = models.ForeignKey(
        Refund,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="fraud_warnings",
        help_text="The refund that staff made because of it.",
    )

    class Meta:
        ordering = ["-warned_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.stripe_warning_id} of {self.payment.order.number}"

    @property
    def needs_decision(self) -> bool:
        """Whether a refund would still prevent a dispute, and none was made: nothing of the payment is disputed yet."""
        is_refunded = self.refund is not None and self.refund.is_live
        is_disputed = self.payment.disputed_minor > 0
        return self.is_actionable and not is_refunded and not is_disputed and self.payment.refundable.minor > 0
