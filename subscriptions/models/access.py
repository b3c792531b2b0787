"""Access to courses: the money of each slice of a period, how it was shared, and the use that decides it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Teacher
from money import Money
from subscriptions.models.period import SubscriptionPeriod
from subscriptions.models.subscription import Subscription


class AccessSlice(models.Model):
    """About a month of a paid period, with the money that is shared by what the subscriber used in it."""

    class State(models.TextChoices):
        OPEN = "open", "Not over"
        SHARED = "shared", "Shared"
        REVOKED = "revoked", "Given back"

    period = models.ForeignKey(SubscriptionPeriod, on_delete=models.PROTECT, related_name="slices")
    # Counted from 1 within its period: the books name it so.
    number = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=7, choices=State, default=State.OPEN, db_default=State.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["period", "number"]
        indexes = [models.Index(fields=["ends_at"], condition=Q(state="open"), name="slice_to_share")]
        constraints = [
            models.UniqueConstraint(fields=["period", "number"], name="slice_once_per_period"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="slice_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="slice_ends_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"Slice {self.number} of {self.period}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class AccessShare(models.Model):
    """One teacher's part of a shared slice. What no share has of the slice went to the platform."""

    slice = models.ForeignKey(AccessSlice, on_delete=models.PROTECT, related_name="shares")
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="access_shares")
    points = models.PositiveIntegerField(help_text="1 for each lesson opened in the slice, 1 more if it was finished.")
    fee_minor = models.PositiveBigIntegerField()
    share_minor = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["slice", "teacher"]
        constraints = [models.UniqueConstraint(fields=["slice", "teacher"], name="access_share_once_per_teacher")]

    def __str__(self) -> str:
        return f"{self.share} of {self.slice}"

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.slice.currency)

    @property
    def share(self) -> Money:
        return Money(self.share_minor, self.slice.currency)


class AccessUse(models.Model):
    """That a subscriber used something of a teacher on one day. Each row is one person's own, so none is hot.

    `item` is what was used, as its domain names it. Rows are counted when a slice is shared, once per item.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="uses")
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=100)
    used_on = models.DateField()
    opened_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subscription", "opened_at"], name="access_use_of_subscription")]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "item", "used_on"], name="access_use_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.item} on {self.used_on}"
