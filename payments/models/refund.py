"""Refunds to students, and the order lines they belong to."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from jobs.models import DurableWork
from money import Money
from payments.models.order import OrderLine
from payments.models.payment import Payment
from payments.refunds.states import ENDED, RefundStatus

_LABELS = {
    RefundStatus.REQUESTED: "Requested",
    RefundStatus.PENDING: "sent, not yet confirmed",
    RefundStatus.REQUIRES_ACTION: "the student must act at Stripe",
    RefundStatus.SUCCEEDED: "Succeeded",
    RefundStatus.FAILED: "Failed",
    RefundStatus.CANCELED: "cancelled",
}
_STATUS_CHOICES = [(status.value, label) for status, label in _LABELS.items()]


def new_refund_key() -> str:
    """A new key of a refund at Stripe. Never made from our ids, since a restored backup would issue those again."""
    return str(uuid.uuid4())


class RefundQuerySet(models.QuerySet["Refund"]):
    """Named sets of refunds."""

    def live(self) -> RefundQuerySet:
        """Refunds that succeeded or may still succeed. A failed or cancelled refund does not count."""
        return self.exclude(status__in=ENDED)

    def to_allocate(self) -> RefundQuerySet:
        """Refunds made at Stripe that staff must still allocate to lines."""
        return self.live().filter(reason=Refund.Reason.MADE_AT_STRIPE, allocated_minor__lt=F("amount_minor"))


class Refund(DurableWork):
    """One refund at Stripe, of one payment: written first, then sent by a worker, then confirmed by Stripe.

    While it is live, triggers count it on its payment and lines, and refuse what exceeds them.
    """

    queue = "stripe"
    lease = timedelta(seconds=90)
    max_attempts = 30

    Status: TypeAlias = RefundStatus

    class Reason(models.TextChoices):
        UNDELIVERABLE = "undeliverable", "paid, but could not be delivered"
        SECOND_PAYMENT = "second_payment", "the order was already paid"
        STUDENT_CANCELLED = "student_cancelled", "the student cancelled"
        TEACHER_CANCELLED = "teacher_cancelled", "the teacher cancelled"
        GOODWILL = "goodwill"
        FRAUD_WARNING = "fraud_warning", "the bank warned of fraud"
        MADE_AT_STRIPE = "made_at_stripe", "made in Stripe's Dashboard"

    # A second payment belongs to no line. A refund made at Stripe names none; staff allocate it.
    REASONS_WITHOUT_LINES = (Reason.SECOND_PAYMENT, Reason.MADE_AT_STRIPE)
    # A second payment was not for the order: it has no receipt, so its refund needs no credit note.
    REASONS_WITHOUT_CREDIT_NOTE = (Reason.SECOND_PAYMENT,)

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    allocated_minor = models.PositiveBigIntegerField(
        default=0, db_default=0, editable=False, help_text="How much of it belongs to a line. Counted by a trigger."
    )
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.CharField(max_length=300, blank=True, help_text="For staff.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="requested_refunds"
    )
    # Identifies the request here, so that pressing the button twice is one refund.
    request_key = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    # Identifies the refund at Stripe: sent as idempotency key and in the metadata.
    idempotency_key = models.CharField(max_length=100, unique=True, default=new_refund_key, editable=False)
    status = models.CharField(max_length=20, choices=_STATUS_CHOICES, default=RefundStatus.REQUESTED.value)
    stripe_refund_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    pending_reason = models.CharField(max_length=100, blank=True)
    failure_reason = models.CharField(max_length=300, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it failed or was cancelled.")

    objects = RefundQuerySet.as_manager()

    class Meta(DurableWork.Meta):
        permissions = [("allocate_refund", "Can allocate refunds made at Stripe")]
        indexes = [
            *DurableWork.Meta.indexes,
            models.Index(
                fields=["payment"],
                condition=Q(reason="made_at_stripe", allocated_minor__lt=F("amount_minor")),
                name="refund_to_allocate",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_of_something"),
            models.CheckConstraint(
                condition=Q(allocated_minor__lte=F("amount_minor")), name="refund_allocated_within_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.payment.order.number}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def get_again_url(self) -> str:
        """Where staff make a failed refund again. A second payment belongs to no line, so its refund has its own page."""
        if self.reason == Refund.Reason.SECOND_PAYMENT:
            return reverse("admin:payments_refund_again", args=[self.pk])
        return f"{reverse('admin:payments_order_refund', args=[self.payment.order_id])}?again={self.pk}"

    @property
    def to_allocate(self) -> Money:
        """The amount that is not allocated to a line yet."""
        return Money(self.amount_minor - self.allocated_minor, self.currency)

    @property
    def needs_allocation(self) -> bool:
        """Whether staff must still allocate it to lines; see `RefundQuerySet.to_allocate`."""
        return self.reason == Refund.Reason.MADE_AT_STRIPE and self.is_live and bool(self.to_allocate.minor)

    @property
    def is_live(self) -> bool:
        return self.status not in ENDED

    @property
    def has_succeeded(self) -> bool:
        return self.status == Refund.Status.SUCCEEDED


class RefundAllocation(models.Model):
    """How much of a refund belongs to one order line. Never changed: triggers refuse updates and deletions."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="allocations")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="refund_allocations")
    amount_minor = models.PositiveBigIntegerField()
    fee_minor = models.PositiveBigIntegerField(help_text="What the platform gives back.")
    share_minor = models.PositiveBigIntegerField(help_text="What the teacher gives back.")
    tax_minor = models.PositiveBigIntegerField(help_text="The part of the amount that is tax.")
    quantity = models.PositiveSmallIntegerField(help_text="How many places go back with the money.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="refund_allocation_once_per_line"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_allocation_of_something"),
            models.CheckConstraint(
                condition=Q(amount_minor=F("fee_minor") + F("share_minor"))
                | Q(amount_minor=F("fee_minor") + F("share_minor") + F("tax_minor")),
                name="refund_allocation_parts_are_the_amount",
            ),
            models.CheckConstraint(
                condition=Q(tax_minor__lte=F("amount_minor")), name="refund_allocation_tax_within_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.line}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.refund.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.refund.currency)

    @property
    def share(self) -> Money:
        return Money(self.share_minor, self.refund.currency)

    @property
    def tax(self) -> Money:
        return Money(self.tax_minor, self.refund.currency)

    @property
    def platform_tax(self) -> Money:
        """The tax that the platform need not pay any more; zero if the teacher owed it, out of the share."""
        return self.amount - self.fee - self.share
