"""An attempt to pay an order: a Checkout Session at Stripe, or a saved card that is charged."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from jobs.models import DurableWork
from money import Money
from payments.models.order import Order


class Payment(DurableWork):
    """A Checkout Session, or the payment intent of a saved card, from before it is created until it is paid or has ended.

    As durable work it has a follow-up (`payments.follow_up`), which repeats an interrupted creation, and asks Stripe
    for the outcome if no webhook has reported it.

    The database itself counts what was refunded. Whether that is all or part of the amount, and what is disputed, is
    derived: a flag could disagree with the rows it stands for.
    """

    queue = "stripe"
    lease = timedelta(seconds=60)
    max_attempts = 60
    # A bank debit is checked every six hours, for more than two weeks.
    max_postponements = 100

    class Status(models.TextChoices):
        CREATED = "created"
        OPEN = "open"
        # Completed by the student; the money may still be on its way.
        PROCESSING = "processing"
        SUCCEEDED = "succeeded"
        # A card was declined, and while the page is open another card may still be used; or the payment has ended.
        FAILED = "failed"
        EXPIRED = "expired"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    # Sent as client_reference_id and in the metadata: identifies the payment of a session whose id is not stored yet.
    reference = models.UUIDField(unique=True, editable=False)
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    # All parameters of its session, as sent to Stripe: the same key must always be sent with the same request, even if
    # titles, addresses and settings have changed since. Empty for payments that are older than this field.
    session_request = models.JSONField(default=dict, editable=False)
    # Instead of a session, for a saved card that is charged at once: what its payment intent is created and confirmed with.
    intent_request = models.JSONField(default=dict, db_default={}, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.CREATED)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    expires_at = models.DateTimeField()
    # Since when its page at Stripe can certainly no longer be paid. Until then it is the order's only payable page.
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    succeeded_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When one of these facts changed, not when the follow-up last tried; kept by a trigger.
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # The student has changed the cart: the page must no longer be paid, and the follow-up closes it as soon as it can.
    close_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the call that creates the session was made; a second click waits for that answer.
    asked_at = models.DateTimeField(null=True, editable=False)
    # When and how often Stripe was asked for the session's state on behalf of a page: shared by all waiting pages.
    looked_at = models.DateTimeField(null=True, editable=False)
    looks = models.PositiveSmallIntegerField(default=0, editable=False)
    stripe_session_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    # The page on which the student pays, or confirms to their bank that it is them.
    session_url = models.URLField(max_length=2000, blank=True)
    stripe_payment_intent_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    # Stripe reports these some seconds after the payment. The fee is in the currency in which the account is paid out.
    stripe_charge_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    stripe_balance_transaction_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    stripe_fee_minor = models.BigIntegerField(null=True, blank=True)
    stripe_fee_currency = models.CharField(max_length=3, blank=True, default="")
    # For the receipt: "Visa ending in 4242", and whom Stripe's page asked for a name and an address, in rows.
    paid_with = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    billed_to = models.CharField(max_length=500, blank=True, default="", db_default="", editable=False)
    # ISO 3166 code of the payer's address, else of the bank that issued the card; empty if Stripe reports neither.
    billed_country = models.CharField(max_length=2, blank=True, default="", db_default="", editable=False)
    livemode = models.BooleanField()
    failure_message = models.CharField(max_length=300, blank=True)
    refunded_minor = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="What was given back or is on its way. Counted by a trigger from the live refunds.",
    )
    disputed_minor = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="What disputes took or may take. Counted by a trigger from their claims.",
    )

    class Meta(DurableWork.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(ended_at__isnull=True), name="payment_one_payable_per_order"
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status__in=["processing", "succeeded"]),
                name="payment_one_success_per_order",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=F("amount_minor") - F("disputed_minor")),
                name="payment_refunded_and_disputed_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="failed")
                | Q(status__in=["created", "open"], ended_at__isnull=True)
                | Q(status__in=["processing", "succeeded", "expired"], ended_at__isnull=False),
                name="payment_ended_with_its_status",
            ),
            models.CheckConstraint(
                condition=Q(status="succeeded", succeeded_at__isnull=False)
                | (~Q(status="succeeded") & Q(succeeded_at__isnull=True)),
                name="payment_succeeded_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(stripe_fee_minor__isnull=True, stripe_fee_currency="")
                | (Q(stripe_fee_minor__isnull=False) & ~Q(stripe_fee_currency="")),
                name="payment_fee_has_a_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.number} {self.status}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def refundable(self) -> Money:
        """The most that can still be refunded of this payment. What is disputed is not refundable."""
        return Money(self.amount_minor - self.refunded_minor - self.disputed_minor, self.currency)

    @property
    def disputed(self) -> Money:
        """What disputes took or may take."""
        return Money(self.disputed_minor, self.currency)

    @property
    def stripe_fee(self) -> Money | None:
        """Stripe's fee; None until it is known."""
        return None if self.stripe_fee_minor is None else Money(self.stripe_fee_minor, self.stripe_fee_currency)

    @property
    def charges_card(self) -> bool:
        """Whether a saved card is charged at once, without a page at Stripe."""
        return bool(self.intent_request)

    @property
    def has_succeeded(self) -> bool:
        return self.status == Payment.Status.SUCCEEDED

    @property
    def refund_state(self) -> str:
        """How far the payment is refunded, as a text; empty if not at all. In lists, prefetch its refunds.

        Only what Stripe confirmed counts as refunded, since a pending refund may still fail.
        """
        returned = sum(refund.amount_minor for refund in self.refunds.all() if refund.status == "succeeded")
        if returned:
            return "Refunded" if returned == self.amount_minor else "Partially refunded"
        return "Refund under way" if self.refunded_minor else ""

    @property
    def dispute_state(self) -> str:
        """Whether disputes take or took part of the payment, as a text; empty if not. An inquiry takes nothing."""
        if not self.disputed_minor:
            return ""
        return "Disputed" if self.disputed_minor == self.amount_minor else "Partially disputed"


class ChargeLookup(DurableWork):
    """Work that looks up charge, balance transaction and fee of a succeeded payment; Stripe reports them seconds later.

    Separate work, because a settlement must not call Stripe, and a payment's follow-up may end before it succeeds.
    """

    queue = "stripe"
    lease = timedelta(seconds=60)
    max_attempts = 60
    # The waits double from five seconds to an hour: most of a day in total.
    max_postponements = 30

    payment = models.OneToOneField(Payment, on_delete=models.CASCADE, related_name="charge_lookup")

    def __str__(self) -> str:
        return f"charge of {self.payment}"
