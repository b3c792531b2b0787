"""What the platform pays into a line instead of the student, where it bears a discount."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class PlatformDiscounted(models.Model):
    """The part of a line's discount that the platform bears: like a second payment for the line, in minor units.

    The teacher gets their share of it, the platform its own fee. As refunds and disputes take what the student paid,
    the platform takes back the same part of it; of a line that the student got for nothing, with each revoked unit.
    """

    platform_discount_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    platform_discount_share_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    # Only `earnings.platform_discounts` writes these, together with the journal.
    reclaimed_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    reclaimed_share_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def platform_share_left_minor(self) -> int:
        """What is left of the teacher's share of it."""
        return self.platform_discount_share_minor - self.reclaimed_share_minor


PLATFORM_DISCOUNT_CONSTRAINTS = (
    models.CheckConstraint(
        condition=Q(platform_discount_minor__lte=F("discount_minor"))
        & Q(platform_discount_share_minor__lte=F("platform_discount_minor")),
        name="order_line_platform_discount_within_discount",
    ),
    models.CheckConstraint(
        condition=Q(reclaimed_minor__lte=F("platform_discount_minor"))
        & Q(reclaimed_share_minor__lte=F("platform_discount_share_minor"))
        & Q(reclaimed_share_minor__lte=F("reclaimed_minor")),
        name="order_line_reclaimed_within_platform_discount",
    ),
)
