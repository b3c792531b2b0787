"""When a teacher's share of a delivered line becomes available to them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Teacher
from money import Money
from payments.models.order import OrderLine


class Earning(models.Model):
    """The teacher's share of one delivered line, from the sale until it is available.

    The ledger has the amounts; this row only remembers where the share is now and when to look at it again.
    """

    line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="earning", primary_key=True)
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="earnings")
    currency = models.CharField(max_length=3)
    share_minor = models.PositiveBigIntegerField(help_text="The teacher's share when it was sold.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # When the share becomes available as far as is known; unknown until the domain was asked. A lesson may be moved.
    matures_at = models.DateTimeField(null=True, editable=False)
    # When to ask the domain again.
    look_at = models.DateTimeField(null=True, db_default=Now(), editable=False)
    matured_at = models.DateTimeField(null=True, editable=False)
    # What became available then: the share without what refunds and disputes had taken.
    matured_minor = models.PositiveBigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["look_at"], condition=Q(matured_at__isnull=True), name="earning_to_look_at"),
            models.Index(
                fields=["teacher", "matures_at"],
                condition=Q(matured_at__isnull=True),
                name="earning_pending_of_teacher",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(matured_at__isnull=True, matured_minor__isnull=True)
                | Q(matured_at__isnull=False, matured_minor__isnull=False),
                name="earning_matures_with_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(matured_minor__isnull=True) | Q(matured_minor__lte=models.F("share_minor")),
                name="earning_matures_within_the_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.share} of {self.line}"

    @property
    def share(self) -> Money:
        return Money(self.share_minor, self.currency)

    @property
    def is_available(self) -> bool:
        return self.matured_at is not None
