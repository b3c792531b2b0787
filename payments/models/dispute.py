"""Disputes: a cardholder's bank takes a payment back, until it has decided or for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from money import Money
from money.taking import Parts
from payments.disputes.claims import CLOSED, DisputeStatus
from payments.models.clock import ClockTimestamp
from payments.models.order import OrderLine
from payments.models.payment import Payment

_LABELS: Mapping[str, str] = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: "inquiry, needs an answer",
    DisputeStatus.WARNING_UNDER_REVIEW: "inquiry, under review",
    DisputeStatus.WARNING_CLOSED: "inquiry, closed without a dispute",
    DisputeStatus.NEEDS_RESPONSE: "needs an answer",
    DisputeStatus.UNDER_REVIEW: "under review by the bank",
    DisputeStatus.WON: "won",
    DisputeStatus.LOST: "lost",
    DisputeStatus.PREVENTED: "prevented",
}


class DisputeQuerySet(models.QuerySet["Dispute"]):
    """Named sets of disputes."""

    def to_answer(self) -> DisputeQuerySet:
        """Disputes and inquiries that wait for an answer of ours."""
        return self.filter(status__in=Dispute.TO_ANSWER)


class Dispute(models.Model):
    """One dispute at Stripe, as it was when we last fetched it, and how much of the payment it takes.

    A payment may have several, of any amount. Whether it is lost is derived from its status and movements: a flag could
    disagree with them.
    """

    Status: TypeAlias = DisputeStatus

    TO_ANSWER = (DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.NEEDS_RESPONSE)

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=100, unique=True)
    # As Stripe reports it: it may be less than the payment, or more after a change of exchange rates.
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=50)
    status = models.CharField(max_length=40)
    case_type = models.CharField(max_length=30, blank=True, help_text="Chargeback, inquiry or compliance, for cards.")
    due_by = models.DateTimeField(null=True, blank=True, help_text="Until when the bank takes an answer.")
    is_past_due = models.BooleanField(default=False)
    is_charge_refundable = models.BooleanField()
    has_evidence = models.BooleanField(default=False, help_text="Whether Stripe has evidence of ours, sent or not.")
    submission_count = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When we learnt that it was decided.")
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # What it takes of the payment, in the payment's currency: all of it belongs to lines, unless the payment paid for
    # none. A trigger counts it on the payment.
    claimed_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    # What it takes beyond what is left of the payment: the platform bears it.
    excess_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    # Numbers the journals that book a change of the claim.
    steps = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        permissions = [("answer_dispute", "Can answer and accept disputes")]
        indexes = [models.Index(fields=["status", "due_by"], name="dispute_by_due_date")]
        constraints = [models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_of_something")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.payment.order.number}"

    def get_admin_url(self) -> str:
        """Its page for staff."""
        return reverse("admin:payments_dispute_change", args=[self.pk])

    @property
    def amount(self) -> Money:
        """What the cardholder disputes."""
        return Money(self.amount_minor, self.currency)

    @property
    def claimed(self) -> Money:
        """What it takes of the payment."""
        return Money(self.claimed_minor, self.payment.currency)

    @property
    def excess(self) -> Money:
        """What it takes beyond what is left of the payment."""
        return Money(self.excess_minor, self.payment.currency)

    @property
    def is_inquiry(self) -> bool:
        """Whether the bank only asks: no money moves because of it."""
        return self.status.startswith("warning_")

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED

    @property
    def needs_answer(self) -> bool:
        return self.status in Dispute.TO_ANSWER

    @property
    def status_text(self) -> str:
        """The status in plain words; Stripe's own word for one that we do not know."""
        return _LABELS.get(self.status, self.status.replace("_", " "))


class DisputeMovement(models.Model):
    """One balance transaction of a dispute: money that Stripe took or gave back. Never changed, by a trigger.

    Amounts as in the balance transaction, negative for money taken, in the currency the account is paid out in.
    """

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="movements")
    stripe_balance_transaction_id = models.CharField(max_length=100, unique=True)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(help_text="Positive: Stripe charges it. Negative: Stripe gives it back.")
    currency = models.CharField(max_length=3)
    # What it takes of the payment, in the payment's currency: positive for money taken, negative for money given back.
    claim_minor = models.BigIntegerField()
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ["happened_at", "pk"]

    def __str__(self) -> str:
        return f"{self.amount} ({self.stripe_balance_transaction_id})"

    @property
    def is_withdrawal(self) -> bool:
        """Whether Stripe took money; also for a fee alone."""
        return self.claim_minor > 0 or (self.claim_minor == 0 and self.fee_minor >= 0)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)


class DisputeStep(models.Model):
    """What a dispute took after one numbered change of its claim. Triggers refuse updates and deletions.

    The journals of the change follow from it and the step before, so that the books can be derived a second time.
    """

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="history")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(db_default=ClockTimestamp())
    taken = models.JSONField(help_text="In minor units of the payment's currency; see payments.disputes.taken.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["dispute", "number"], name="dispute_step_once")]

    def __str__(self) -> str:
        return f"{self.dispute} step {self.number}"


class DisputeAllocation(models.Model):
    """How much of a dispute's claim belongs to one order line. Triggers count it on the line; it is zero once released."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="allocations")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="dispute_allocations")
    amount_minor = models.PositiveBigIntegerField()
    fee_minor = models.PositiveBigIntegerField(help_text="What the platform loses if the dispute is lost.")
    share_minor = models.PositiveBigIntegerField(help_text="What is held from the teacher, and lost with the dispute.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["dispute", "line"], name="dispute_allocation_once_per_line"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=F("fee_minor") + F("share_minor")),
                name="dispute_allocation_fee_and_share_within_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.line}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.dispute.payment.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.dispute.payment.currency)

    @property
    def share(self) -> Money:
        return Money(self.share_minor, self.dispute.payment.currency)

    @property
    def parts(self) -> Parts:
        """What it takes, with the tax that the platform need not pay if the dispute is lost."""
        tax = self.amount_minor - self.fee_minor - self.share_minor
        return Parts(amount=self.amount_minor, fee=self.fee_minor, tax=tax)
