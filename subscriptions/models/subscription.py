"""A person's subscription to a plan, and its history."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from subscriptions.models.plan import Plan, PlanPrice


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Sets of subscriptions."""

    def live(self) -> SubscriptionQuerySet:
        """Those that have begun and not ended."""
        return self.filter(status__in=Subscription.LIVE)

    def giving_access(self, at: datetime) -> SubscriptionQuerySet:
        """Those whose plan may be used at this moment: in a trial, paid, or within the time left to pay."""
        return self.filter(
            Q(status__in=[Subscription.Status.TRIALING, Subscription.Status.ACTIVE])
            | Q(status=Subscription.Status.PAST_DUE, grace_until__gt=at)
        )


class Subscription(models.Model):
    """What is known of a subscription at Stripe, from before its Checkout page is opened until it has ended.

    Only `subscriptions.recording` writes what Stripe decides: status, price and periods.
    """

    class Status(models.TextChoices):
        # The person is on Stripe's page.
        STARTING = "starting", "Not started"
        TRIALING = "trialing", "In trial"
        ACTIVE = "active", "Active"
        # A renewal could not be charged. Access remains until `grace_until`.
        PAST_DUE = "past_due", "Payment failed"
        ENDED = "ended", "Ended"

    LIVE = (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE)

    class EndReason(models.TextChoices):
        NEVER_PAID = "never_paid", "Never started"
        CANCELLED = "cancelled", "Cancelled by the student"
        PAYMENT_FAILED = "payment_failed", "Renewal not paid"
        BY_STAFF = "by_staff", "Ended by staff or at Stripe"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="subscriptions")
    # A cheaper price that applies from the next period.
    next_price = models.ForeignKey(
        PlanPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="subscriptions_to_come"
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.STARTING, db_default=Status.STARTING)
    # In the metadata at Stripe: identifies the subscription until its id is stored.
    reference = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    stripe_subscription_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    # Increases with every record of what Stripe reports: what was fetched before another record is fetched again.
    version = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    # The page at Stripe. The request is frozen with its key, as that of a payment.
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    session_request = models.JSONField(default=dict, editable=False)
    stripe_session_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    session_url = models.URLField(max_length=2000, blank=True)
    session_expires_at = models.DateTimeField(null=True, blank=True)

    period_starts_at = models.DateTimeField(null=True, blank=True)
    period_ends_at = models.DateTimeField(null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False, db_default=False)
    past_due_since = models.DateTimeField(null=True, blank=True)
    grace_until = models.DateTimeField(null=True, blank=True)
    # Stripe's page where the invoice that could not be charged can be paid at once.
    unpaid_invoice_url = models.URLField(max_length=2000, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=14, choices=EndReason, blank=True, default="", db_default="")

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at__isnull=True), name="subscription_one_live_per_user"
            ),
            models.CheckConstraint(
                condition=Q(status="ended", ended_at__isnull=False)
                | (~Q(status="ended") & Q(ended_at__isnull=True, end_reason="")),
                name="subscription_ended_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["starting", "ended"])
                | Q(
                    stripe_subscription_id__isnull=False,
                    started_at__isnull=False,
                    period_starts_at__isnull=False,
                    period_ends_at__isnull=False,
                ),
                name="subscription_live_is_known_at_stripe",
            ),
            models.CheckConstraint(
                condition=Q(status="past_due", past_due_since__isnull=False, grace_until__isnull=False)
                | (~Q(status="past_due") & Q(past_due_since__isnull=True, grace_until__isnull=True)),
                name="subscription_past_due_has_a_grace",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} of {self.user}"

    def get_absolute_url(self) -> str:
        return reverse("subscriptions:mine")

    @property
    def plan(self) -> Plan:
        return self.price.plan

    @property
    def coming_price(self) -> PlanPrice:
        """What the next renewal costs."""
        return self.next_price or self.price

    @property
    def is_live(self) -> bool:
        return self.status in Subscription.LIVE

    def gives_access(self, at: datetime) -> bool:
        """Whether its plan may be used at this moment."""
        if self.status == Subscription.Status.PAST_DUE:
            return self.grace_until is not None and at < self.grace_until
        return self.is_live


class SubscriptionChange(models.Model):
    """One entry in the history of a subscription. Rows are only added."""

    class Kind(models.TextChoices):
        STARTED = "started", "Started"
        RENEWED = "renewed", "Paid"
        PLAN_CHANGED = "plan_changed", "Plan changed"
        CHANGE_PLANNED = "change_planned", "Change planned for the next period"
        CHANGE_DROPPED = "change_dropped", "Planned change withdrawn"
        CANCELLED = "cancelled", "Cancelled at the end of the period"
        RESUMED = "resumed", "Cancellation withdrawn"
        PAYMENT_FAILED = "payment_failed", "Payment failed"
        RECOVERED = "recovered", "Paid after a failed payment"
        ENDED = "ended", "Ended"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=14, choices=Kind)
    at = models.DateTimeField(db_default=Now())
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="+")
    detail = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["kind", "at"], name="subscription_change_by_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subscription}"
