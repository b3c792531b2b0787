"""The transfer of a payout at Stripe, and what comes back of it."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs.models import DurableWork
from money import Money
from payments.models.connected_account import BankPayout, ConnectedAccount
from payments.models.payout import Payout


def new_transfer_key() -> str:
    """A new idempotency key. Never made from our ids, since a restored backup would issue those again."""
    return str(uuid.uuid4())


class PayoutTransfer(DurableWork):
    """The work of sending one approved payout to the teacher's account, and the transfer that this makes, at most one.

    Account and key are fixed together when the request is about to leave. Only after Stripe certainly refused that
    request does another key follow, perhaps with another account.
    """

    queue = "stripe"
    lease = timedelta(seconds=90)
    # Three days and more of failures; how often it waits for the balance is limited by time alone, to a quarter.
    max_attempts = 90
    max_postponements = 360

    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, related_name="transfer")
    account = models.ForeignKey(
        ConnectedAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="transfers"
    )
    idempotency_key = models.CharField(max_length=100, unique=True, default=new_transfer_key, editable=False)
    stripe_transfer_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    # The payment that the transfer is on the teacher's account; their bank payouts name it.
    destination_payment_id = models.CharField(max_length=100, blank=True, db_index=True)
    bank_payout = models.ForeignKey(
        BankPayout, null=True, blank=True, on_delete=models.PROTECT, related_name="transfers"
    )

    class Meta(DurableWork.Meta):
        pass

    def __str__(self) -> str:
        return self.stripe_transfer_id or f"transfer of {self.payout}"


class PayoutReversal(DurableWork):
    """Money of a transfer that comes back: requested here, or made in Stripe's Dashboard.

    A requested one that Stripe refuses stays failed: the teacher keeps the money, and nothing is tried again.
    """

    queue = "stripe"
    lease = timedelta(seconds=90)
    max_attempts = 90

    class Status(models.TextChoices):
        REQUESTED = "requested"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    class Reason(models.TextChoices):
        BANK_RETURNED = "bank_returned", "the teacher's bank returned the payout"
        MADE_AT_STRIPE = "made_at_stripe", "made in Stripe's Dashboard"

    transfer = models.ForeignKey(PayoutTransfer, on_delete=models.PROTECT, related_name="reversals")
    amount_minor = models.PositiveBigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    reason = models.CharField(max_length=20, choices=Reason)
    # The bank payout that failed: it asks for one reversal of each of its transfers, however often it is reported.
    bank_payout = models.ForeignKey(
        BankPayout, null=True, blank=True, on_delete=models.PROTECT, related_name="reversals"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="requested_reversals"
    )
    idempotency_key = models.CharField(max_length=100, unique=True, default=new_transfer_key, editable=False)
    stripe_reversal_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    failure_reason = models.CharField(max_length=300, blank=True)

    class Meta(DurableWork.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_reversal_of_something"),
            models.UniqueConstraint(
                fields=["transfer", "bank_payout"],
                condition=Q(bank_payout__isnull=False),
                name="payout_reversal_once_per_bank_payout",
            ),
            models.CheckConstraint(
                condition=Q(status="succeeded", stripe_reversal_id__isnull=False)
                | (~Q(status="succeeded") & Q(stripe_reversal_id=None)),
                name="payout_reversal_succeeded_has_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} back from {self.transfer}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.transfer.payout.currency)
