"""Plans and what they cost."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from money import Money
from money.models import Price

_LONGEST_TRIAL_DAYS = 90


class Plan(models.Model):
    """Something to subscribe to: access to the courses included in plans, lesson credits, or both. Its prices say what a period costs."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    summary = models.CharField(max_length=160, help_text="One sentence for the page of all plans.")
    description = models.TextField(blank=True)
    is_on_sale = models.BooleanField(
        default=False, db_default=False, help_text="Off: no one can subscribe any more. Subscriptions go on."
    )
    trial_days = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        validators=[MaxValueValidator(_LONGEST_TRIAL_DAYS)],
        help_text="Free days before the first payment, once per person. 0 for none.",
    )
    grants_courses = models.BooleanField(
        "access to courses",
        default=False,
        db_default=False,
        help_text="Subscribers may take every course that its teacher includes in plans.",
    )
    position = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Lower comes first.")
    stripe_product_id = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('subscriptions:plans')}#{self.slug}"


class PlanPrice(Price):
    """What a period of a plan costs in one currency, and the lesson credits that each paid period brings.

    Amounts never change, since people subscribed to them: another amount is another price, and the old one is archived.
    """

    class Interval(models.TextChoices):
        MONTH = "month", "Monthly"
        YEAR = "year", "Yearly"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    interval = models.CharField(max_length=5, choices=Interval)
    credits = models.PositiveSmallIntegerField(
        "lesson credits", default=0, db_default=0, help_text="For each paid period: a month, or a whole year."
    )
    credit_value_minor = models.PositiveBigIntegerField(
        "value of a credit",
        default=0,
        db_default=0,
        help_text="What a lesson taken with a credit earns teacher and platform together, in the smallest unit.",
    )
    is_active = models.BooleanField(
        default=True, db_default=True, help_text="Off: archived. Subscriptions at this price go on."
    )
    stripe_price_id = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)

    class Meta(Price.Meta):
        ordering = ["interval", "currency", "pk"]
        constraints = [
            *Price.Meta.constraints,
            models.UniqueConstraint(
                fields=["plan", "interval", "currency"],
                condition=Q(is_active=True),
                name="plan_price_one_active_per_interval_and_currency",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=F("credits") * F("credit_value_minor")),
                name="plan_price_covers_its_credits",
            ),
            models.CheckConstraint(
                condition=Q(credits=0, credit_value_minor=0) | Q(credits__gt=0, credit_value_minor__gt=0),
                name="plan_price_values_its_credits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}, {super().__str__()} {self.per}"

    @property
    def per(self) -> str:
        """How often it is charged, for pages and receipts."""
        return "a month" if self.interval == PlanPrice.Interval.MONTH else "a year"

    @property
    def credit_value(self) -> Money:
        return Money(self.credit_value_minor, self.currency)

    @property
    def is_monthly(self) -> bool:
        return self.interval == PlanPrice.Interval.MONTH

    def clean(self) -> None:
        super().clean()
        if not self._is_amount:
            return
        if bool(self.credits) != bool(self.credit_value_minor):
            raise ValidationError({"credit_value_minor": "Give credits and their value together, or neither."})
        if (self.credits or 0) * (self.credit_value_minor or 0) > self.amount_minor:
            raise ValidationError({"credit_value_minor": "All credits together are worth more than the price."})
