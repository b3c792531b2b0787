"""The periods of a subscription that were paid for, or free in a trial."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from money import Money
from payments.models import OrderLine
from subscriptions.models.plan import PlanPrice
from subscriptions.models.subscription import Subscription


class SubscriptionPeriod(models.Model):
    """What one invoice pays for: a stretch of time with its lesson credits. The invoice's id makes it exist once.

    The amount is what was really paid: after a change of plan the difference, in a trial nothing.
    """

    class Kind(models.TextChoices):
        START = "start", "Start"
        RENEWAL = "renewal", "Renewal"
        CHANGE = "change", "Change of plan"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="periods")
    stripe_invoice_id = models.CharField(max_length=100, unique=True)
    # None where nothing was paid: a trial, or an invoice paid with credit that staff gave at Stripe.
    line = models.OneToOneField(
        OrderLine, null=True, blank=True, on_delete=models.PROTECT, related_name="subscription_period"
    )
    kind = models.CharField(max_length=7, choices=Kind)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    credits = models.PositiveSmallIntegerField(default=0, db_default=0)
    credit_value_minor = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # When its credits and slices of access were written, in the settlement; and when its price went back to the student.
    opened_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When what was left of its money had been given to teachers and platform, or given back.
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [models.Index(fields=["ends_at"], condition=Q(closed_at__isnull=True), name="period_to_close")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="period_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=F("credits") * F("credit_value_minor")),
                name="period_covers_its_credits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.subscription}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def credit_value(self) -> Money:
        return Money(self.credit_value_minor, self.currency)
