"""Teachers' accounts at Stripe, and the payouts from there to the teachers' banks."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Teacher
from money import Money


class ConnectedAccount(models.Model):
    """A teacher's account at Stripe, with its state as Stripe last reported it.

    An account may be replaced, for example when the teacher moves to another country. Money goes to the current one.
    """

    class Api(models.TextChoices):
        """With which of Stripe's interfaces it was created, and is read."""

        V1 = "v1", "Accounts v1, Express"
        V2 = "v2", "Accounts v2, recipient"

    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="connected_accounts")
    stripe_account_id = models.CharField(max_length=100, unique=True)
    api = models.CharField(max_length=2, choices=Api, default=Api.V1)
    country = models.CharField(max_length=2, blank=True)
    are_details_submitted = models.BooleanField(default=False)
    can_receive_transfers = models.BooleanField(default=False)
    can_pay_out = models.BooleanField(default=False, help_text="Whether Stripe pays its balance out to the bank.")
    disabled_reason = models.CharField(max_length=100, blank=True)
    requirements_due = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    # When the stored state was asked for: an answer to an earlier question never replaces it.
    state_as_of = models.DateTimeField(null=True, blank=True)
    # When Stripe was last asked without an event as a reason, whether or not it answered.
    followed_up_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    replaced_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When it was disconnected or deleted at Stripe.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["teacher"], condition=Q(replaced_at=None), name="connected_account_one_current"
            )
        ]

    def __str__(self) -> str:
        return self.stripe_account_id

    @property
    def is_current(self) -> bool:
        return self.replaced_at is None

    @property
    def can_be_paid(self) -> bool:
        """Whether Stripe would take a transfer, and pay it out to the teacher's bank."""
        return self.can_receive_transfers and self.can_pay_out and self.closed_at is None

    @property
    def state(self) -> str:
        """One of: closed, incomplete, ready, checking, restricted."""
        if self.closed_at:
            return "closed"
        if self.can_be_paid:
            return "ready"
        if not self.are_details_submitted:
            return "incomplete"
        return "restricted" if self.requirements_due else "checking"


class BankPayout(models.Model):
    """A payout that Stripe makes from a connected account to the teacher's bank. It moves none of the platform's money."""

    class Status(models.TextChoices):
        PENDING = "pending", "on its way"
        IN_TRANSIT = "in_transit", "on its way"
        PAID = "paid", "arrived"
        FAILED = "failed", "returned by the bank"
        CANCELED = "canceled", "cancelled"

    account = models.ForeignKey(ConnectedAccount, on_delete=models.PROTECT, related_name="bank_payouts")
    stripe_payout_id = models.CharField(max_length=100, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=Status)
    is_automatic = models.BooleanField()
    arrives_on = models.DateField(null=True, blank=True)
    failure_message = models.CharField(max_length=300, blank=True)
    state_as_of = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.amount} to {self.account.teacher}'s bank"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def has_failed(self) -> bool:
        return self.status == BankPayout.Status.FAILED
