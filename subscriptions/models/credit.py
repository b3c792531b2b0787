"""Lesson credits, one row each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Teacher
from money import Money
from subscriptions.models.period import SubscriptionPeriod


class LessonCredit(models.Model):
    """One lesson credit of a period, from the payment until a teacher has earned it, it lapsed, or it was taken back.

    Its value is part of what was paid for the period, and stays unearned until the credit has ended.
    """

    class State(models.TextChoices):
        UNUSED = "unused", "Not used"
        # It confirmed a lesson that has not been earned yet.
        TAKEN = "taken", "Used for a lesson to come"
        EARNED = "earned", "Earned by a teacher"
        LAPSED = "lapsed", "Lapsed"
        REVOKED = "revoked", "Taken back with a refund"

    OPEN = (State.UNUSED, State.TAKEN)

    period = models.ForeignKey(SubscriptionPeriod, on_delete=models.PROTECT, related_name="lesson_credits")
    # Counted from 1 within its period: the books name it so.
    number = models.PositiveSmallIntegerField()
    value_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=7, choices=State, default=State.UNUSED, db_default=State.UNUSED)
    usable_until = models.DateTimeField(help_text="The end of its period, or of the next one once that is paid.")
    is_carried = models.BooleanField("carried over", default=False, db_default=False)
    # What it was taken for, as the domain of the lesson names it. One thing takes one credit.
    used_for = models.CharField(max_length=100, blank=True, default="", db_default="")
    title = models.CharField(max_length=200, blank=True, default="", db_default="")
    teacher = models.ForeignKey(Teacher, null=True, blank=True, on_delete=models.PROTECT, related_name="lesson_credits")
    # Frozen when it is taken, as on an order line.
    commission_bps = models.PositiveSmallIntegerField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["period", "number"]
        indexes = [
            models.Index(fields=["usable_until"], condition=Q(state="unused"), name="credit_to_lapse"),
            models.Index(fields=["teacher", "ended_at"], name="credit_of_teacher"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["period", "number"], name="credit_once_per_period"),
            models.UniqueConstraint(fields=["used_for"], condition=~Q(used_for=""), name="credit_once_per_use"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["taken", "earned"],
                    taken_at__isnull=False,
                    teacher__isnull=False,
                    commission_bps__isnull=False,
                )
                & ~Q(used_for="")
                | Q(
                    state__in=["unused", "lapsed", "revoked"],
                    taken_at__isnull=True,
                    teacher__isnull=True,
                    commission_bps__isnull=True,
                    used_for="",
                ),
                name="credit_taken_for_something",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["unused", "taken"], ended_at__isnull=True)
                | Q(state__in=["earned", "lapsed", "revoked"], ended_at__isnull=False),
                name="credit_ends_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"Credit {self.number} of {self.period}"

    @property
    def value(self) -> Money:
        return Money(self.value_minor, self.currency)
