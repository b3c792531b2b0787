"""Cancellations of everything that was sold of one item, such as all registrations of a workshop."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Teacher
from jobs.models import DurableWork
from payments.models.order import OrderLine
from payments.models.refund import Refund


class SaleCancellation(models.Model):
    """Who cancelled all that was sold of an item, when and why. Its lines are cancelled one by one in the background."""

    domain = models.CharField(max_length=30)
    reference = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="sale_cancellations")
    reason = models.CharField(max_length=300, help_text="Shown to the students.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sale_cancellations"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["domain", "reference"], name="sale_cancellation_of_item")]

    def __str__(self) -> str:
        return self.title

    def get_admin_url(self) -> str:
        """Its page for staff."""
        return reverse("admin:payments_salecancellation_change", args=[self.pk])


class LineCancellation(DurableWork):
    """One order line of such a cancellation: revoked and refunded once, however often a worker is killed meanwhile."""

    cancellation = models.ForeignKey(SaleCancellation, on_delete=models.PROTECT, related_name="lines")
    line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="cancellation")
    # None until it is done, and if nothing was left to refund.
    refund = models.ForeignKey(
        Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="line_cancellations", editable=False
    )

    class Meta(DurableWork.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.line.title}, order {self.line.order.number}"
