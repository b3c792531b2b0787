"""Payouts to teachers, their history, and how often a teacher wants one."""

from __future__ import annotations

import uuid
from typing import TypeAlias

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Teacher
from money import Money
from payments.payouts.rules import GIVEN_BACK, LEFT, OPEN, Happening, PayoutStatus, may_happen

_LABELS = {
    PayoutStatus.REQUESTED: "requested",
    PayoutStatus.APPROVED: "approved",
    PayoutStatus.SENT: "being sent",
    PayoutStatus.UNKNOWN: "waiting for Stripe's confirmation",
    PayoutStatus.PAID: "paid",
    PayoutStatus.FAILED: "failed",
    PayoutStatus.DECLINED: "declined",
    PayoutStatus.RETURNED: "returned",
}
STATUS_CHOICES = [(status.value, label) for status, label in _LABELS.items()]


def _values(statuses: frozenset[PayoutStatus]) -> list[str]:
    """In a fixed order, because constraints are compared with those of the migrations."""
    return sorted(status.value for status in statuses)


class PayoutQuerySet(models.QuerySet["Payout"]):
    """Named sets of payouts."""

    def open(self) -> PayoutQuerySet:
        """Payouts whose money is claimed and has not left yet."""
        return self.filter(status__in=OPEN)

    def left(self) -> PayoutQuerySet:
        """Payouts that were paid, whether or not the money came back later."""
        return self.filter(status__in=LEFT)


class Payout(models.Model):
    """Money of one teacher in one currency, from the request until it is paid, or back in their balance.

    Its reference identifies it in the ledger and at Stripe. Only `payments.payouts` changes it; nothing deletes it.
    """

    Status: TypeAlias = PayoutStatus

    class Way(models.TextChoices):
        TRANSFER = "transfer", "transfer to the teacher's Stripe account"
        BANK = "bank", "bank transfer by hand"

    class Origin(models.TextChoices):
        TEACHER = "teacher", "requested by the teacher"
        SCHEDULE = "schedule", "requested by the teacher's schedule"
        STAFF = "staff", "recorded by staff"
        STRIPE = "stripe", "found at Stripe after a restored backup"

    reference = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="payouts")
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    returned_minor = models.PositiveBigIntegerField(default=0, help_text="How much of it came back after it was paid.")
    way = models.CharField(max_length=10, choices=Way, default=Way.TRANSFER)
    origin = models.CharField(max_length=10, choices=Origin)
    status = models.CharField(max_length=10, choices=STATUS_CHOICES, default=PayoutStatus.REQUESTED.value)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="requested_payouts"
    )
    requested_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="decided_payouts"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(
        max_length=300, blank=True, help_text="Why staff decided so. The teacher reads it if declined."
    )
    failure_reason = models.CharField(max_length=300, blank=True, help_text="The teacher reads it.")
    paid_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When its money came back into the balance.")
    # Of bank transfers by hand.
    bank_last_four = models.CharField(max_length=4, blank=True, validators=[RegexValidator(r"^[0-9A-Z]{4}\Z")])
    bank_paid_on = models.DateField(null=True, blank=True)
    bank_fee_minor = models.PositiveBigIntegerField(default=0, help_text="What our bank charged the platform for it.")

    objects = PayoutQuerySet.as_manager()

    class Meta:
        permissions = [("approve_payout", "Can approve, decline and record payouts")]
        indexes = [models.Index(fields=["teacher", "-requested_at"], name="payout_of_teacher")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_of_something"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in PayoutStatus]), name="payout_status_known"
            ),
            models.UniqueConstraint(
                fields=["teacher", "currency"],
                condition=Q(status__in=_values(OPEN)),
                name="payout_one_open_per_currency",
            ),
            models.CheckConstraint(condition=Q(returned_minor__lte=F("amount_minor")), name="payout_returned_within"),
            models.CheckConstraint(
                condition=Q(status__in=_values(LEFT), paid_at__isnull=False)
                | (~Q(status__in=_values(LEFT)) & Q(paid_at=None, returned_minor=0)),
                name="payout_paid_at_matches_status",
            ),
            models.CheckConstraint(
                condition=Q(status=PayoutStatus.RETURNED.value, returned_minor=F("amount_minor"))
                | (~Q(status=PayoutStatus.RETURNED.value) & Q(returned_minor__lt=F("amount_minor"))),
                name="payout_returned_in_full",
            ),
            models.CheckConstraint(
                condition=~Q(status=PayoutStatus.DECLINED.value) | ~Q(note=""), name="payout_declined_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(way="bank", bank_paid_on__isnull=False) & ~Q(bank_last_four="")
                | Q(way="transfer", bank_paid_on=None, bank_last_four="", bank_fee_minor=0),
                name="payout_by_bank_names_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} to {self.teacher}"

    def get_absolute_url(self) -> str:
        return reverse("payments:payout", args=[self.reference])

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def returned(self) -> Money:
        return Money(self.returned_minor, self.currency)

    @property
    def bank_fee(self) -> Money:
        return Money(self.bank_fee_minor, self.currency)

    @property
    def subject(self) -> str:
        """What it is called in the ledger."""
        return f"payout:{self.reference}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def was_given_back(self) -> bool:
        return self.status in GIVEN_BACK

    @property
    def has_left(self) -> bool:
        return self.status in LEFT

    @property
    def is_by_transfer(self) -> bool:
        return self.way == Payout.Way.TRANSFER

    def may(self, happening: Happening) -> bool:
        """Whether this may happen to it now."""
        return may_happen(PayoutStatus(self.status), happening)


class PayoutStep(models.Model):
    """One step in the history of a payout: when, by whom, and why. Triggers refuse updates and deletions."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="steps")
    status = models.CharField(max_length=10, choices=STATUS_CHOICES)
    at = models.DateTimeField(db_default=Now())
    # Empty for what the site or Stripe did.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="payout_steps"
    )
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.get_status_display()


class PayoutSchedule(models.Model):
    """How often a teacher is paid. Without a row it is on request."""

    class Interval(models.TextChoices):
        ON_REQUEST = "on_request", "Only when I ask for it"
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"

    teacher = models.OneToOneField(Teacher, on_delete=models.CASCADE, related_name="payout_schedule")
    interval = models.CharField(max_length=10, choices=Interval, default=Interval.ON_REQUEST)
    next_on = models.DateField(null=True, blank=True)
    # The day of the month that was chosen; a shorter month takes its last day.
    day_of_month = models.PositiveSmallIntegerField(default=1)
    chosen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(interval="on_request", next_on=None)
                | (~Q(interval="on_request") & Q(next_on__isnull=False)),
                name="payout_schedule_has_a_next_day",
            )
        ]

    def __str__(self) -> str:
        return self.get_interval_display()
