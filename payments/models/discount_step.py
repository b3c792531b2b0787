"""The record of what the platform took back of its discount on a line."""

from __future__ import annotations

from django.db import models

from payments.models.order import OrderLine


class DiscountStep(models.Model):
    """How much the platform had taken back after a refund, dispute or revocation changed a line, in minor units.

    Each step has a journal, its difference to the step before. The books can be rebuilt from these rows.
    """

    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="discount_steps")
    number = models.PositiveSmallIntegerField()
    reclaimed_minor = models.PositiveBigIntegerField()
    reclaimed_share_minor = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["line", "number"]
        constraints = [models.UniqueConstraint(fields=["line", "number"], name="discount_step_numbered_in_its_line")]

    def __str__(self) -> str:
        return f"{self.line} {self.number}"
