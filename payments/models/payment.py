"""One try to pay an order: a Checkout Session at Stripe, or the wish for one."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from jobs.models import DurableWork
from money import Money
from payments.models.order import Order


class Payment(DurableWork):
    """A Checkout Session from before it is asked for until it is paid or over.

    As durable work it sees to its own end: it asks again for a session whose creation was cut off, and asks Stripe how
    the session ended when no webhook has told.
    """

    queue = "urgent"
    lease = timedelta(seconds=60)
    max_attempts = 60
    # A bank debit is asked for every six hours, for two weeks and more.
    max_postponements = 100

    class Status(models.TextChoices):
        CREATED = "created"
        OPEN = "open"
        # Completed by the student; the money may still be on its way.
        PROCESSING = "processing"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        EXPIRED = "expired"

    PAYABLE = (Status.CREATED, Status.OPEN)

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    # Sent as client_reference_id and in the metadata; finds the payment for a session whose id we have not stored yet.
    reference = models.UUIDField(unique=True, editable=False)
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.CREATED)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    expires_at = models.DateTimeField()
    # When somebody first began to ask Stripe for the session; a second click waits for that answer.
    asked_at = models.DateTimeField(null=True, editable=False)
    stripe_session_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    session_url = models.URLField(max_length=2000, blank=True)
    stripe_payment_intent_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    livemode = models.BooleanField()
    failure_message = models.CharField(max_length=300, blank=True)
    refunded_minor = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="What was given back or is on its way. Counted by a trigger from the live refunds.",
    )

    class Meta(DurableWork.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(status__in=["created", "open"]), name="payment_one_payable_per_order"
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status__in=["processing", "succeeded"]),
                name="payment_one_success_per_order",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=F("amount_minor")), name="payment_refunded_within_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.number} {self.status}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def refundable(self) -> Money:
        """The most that can still be given back of this payment."""
        return Money(self.amount_minor - self.refunded_minor, self.currency)
