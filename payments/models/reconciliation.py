"""Stripe's statement as we have read it, the runs that compare it with the books, and the differences they found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from jobs.models import DurableWork
from payments.models.order import Order
from payments.reconciliation.kinds import KINDS, DifferenceKind, KindOfDifference, Repair


class StripeMovement(models.Model):
    """One balance transaction of Stripe's, copied once. Amounts in minor units, positive if the balance grows.

    Stripe's transactions never change, except that a pending one becomes available at `available_at`. A type or
    currency that is unknown here is stored like any other.
    """

    stripe_id = models.CharField(max_length=100, unique=True)
    account = models.CharField(max_length=100, help_text="The Stripe account whose balance it changed.")
    livemode = models.BooleanField()
    type = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=10)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    happened_at = models.DateTimeField()
    available_at = models.DateTimeField()
    # Where both sides of a transaction meet; see reconciliation.statement.
    match_key = models.CharField(max_length=130)
    source = models.CharField(max_length=100, blank=True)
    payment_intent = models.CharField(max_length=100, blank=True)
    source_currency = models.CharField(max_length=10, blank=True)
    source_status = models.CharField(max_length=50, blank=True)
    description = models.TextField(blank=True)
    fee_parts = models.JSONField(default=list)
    claim = models.JSONField(default=dict, help_text="What our metadata on its source says.")
    read_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["match_key"], name="stripe_movement_by_key"),
            models.Index(fields=["happened_at"], name="stripe_movement_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(net_minor=F("amount_minor") - F("fee_minor")), name="stripe_movement_net_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class ReconciliationRun(DurableWork):
    """One comparison of Stripe's statement with the records and the ledger. A killed run continues where it was.

    It covers what happened in [since, until); what is younger than `settled_before` may still be under way.
    """

    queue = "stripe"
    lease = timedelta(minutes=3)
    max_attempts = 20
    # A long run is performed in pieces, each of which ends by postponing the rest.
    max_postponements = 10_000

    class Step(models.TextChoices):
        STATEMENT = "statement", "reading Stripe's statement"
        MOVEMENTS = "movements", "comparing the statement with the books"
        RECORDS = "records", "looking for records that Stripe lacks"
        JOURNALS = "journals", "looking for journals without a record"
        REPAIRS = "repairs", "repairing"
        TOTALS = "totals", "adding up"
        FINISHED = "finished"

    class Repairs(models.TextChoices):
        NONE = "none", "report only"
        ROUTINE = "routine", "book what Stripe moves by itself"
        ALL = "all", "repair all that has a safe repair"

    since = models.DateTimeField(null=True, blank=True, help_text="Empty: from the first transaction on.")
    until = models.DateTimeField()
    settled_before = models.DateTimeField()
    repairs = models.CharField(max_length=10, choices=Repairs, default=Repairs.NONE)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="reconciliations"
    )
    account = models.CharField(max_length=100, blank=True, editable=False)
    livemode = models.BooleanField(editable=False)
    step = models.CharField(max_length=12, choices=Step, default=Step.STATEMENT, editable=False)
    # How far the step has come: an id of Stripe's, a match key or a primary key.
    cursor = models.CharField(max_length=150, blank=True, editable=False)
    transactions_read = models.PositiveBigIntegerField(default=0, editable=False)
    compared = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta(DurableWork.Meta):
        permissions = [("reconcile", "Can compare the books with Stripe, and repair differences")]

    def __str__(self) -> str:
        return f"Reconciliation {self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.step == ReconciliationRun.Step.FINISHED


class ReconciliationTotal(models.Model):
    """The result of a run in one currency: Stripe's total is the ledger's, the named differences and the remainder."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="totals")
    currency = models.CharField(max_length=10)
    stripe_minor = models.BigIntegerField(help_text="What Stripe's statement adds up to.")
    pending_minor = models.BigIntegerField(help_text="The part of it that is not available yet.")
    ledger_minor = models.BigIntegerField(help_text="What the ledger has on Stripe clearing.")
    named_minor = models.BigIntegerField(help_text="The differences of a known kind.")
    remainder_minor = models.BigIntegerField(help_text="What no known kind explains.")
    # Only of a run from the first transaction on.
    balance_minor = models.BigIntegerField(null=True, help_text="The balance that Stripe itself reports.")
    unlisted_minor = models.BigIntegerField(
        default=0, help_text="How much of that balance Stripe's list of transactions does not explain."
    )

    class Meta:
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(fields=["run", "currency"], name="reconciliation_total_once_per_currency"),
            models.CheckConstraint(
                condition=Q(stripe_minor=F("ledger_minor") + F("named_minor") + F("remainder_minor")),
                name="reconciliation_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} of run {self.run_id}"

    @property
    def is_explained(self) -> bool:
        """Whether nothing is left that cannot be named."""
        return not self.remainder_minor and not self.unlisted_minor


class DifferenceQuerySet(models.QuerySet["Difference"]):
    """Named sets of differences."""

    def open(self) -> DifferenceQuerySet:
        """Differences that staff must look at: of a kind that needs action, and not repaired."""
        explained = [kind for kind, terms in KINDS.items() if not terms.needs_action]
        return self.filter(repaired_at=None).exclude(kind__in=explained)


class Difference(models.Model):
    """One difference that a run found: Stripe's statement minus the books."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="differences")
    kind = models.CharField(max_length=20, choices=[(kind.value, terms.title) for kind, terms in KINDS.items()])
    sentence = models.TextField()
    match_key = models.CharField(max_length=130)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=10)
    stripe_id = models.CharField(max_length=100, blank=True, help_text="The balance transaction.")
    journal_source = models.CharField(max_length=200, blank=True)
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    repair = models.CharField(max_length=20, blank=True, choices=[(each.value, each.value) for each in Repair])
    repaired_at = models.DateTimeField(null=True, blank=True)
    repaired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    repair_error = models.TextField(blank=True)

    objects = DifferenceQuerySet.as_manager()

    class Meta:
        ordering = ["run", "kind", "pk"]
        indexes = [models.Index(fields=["run", "kind"], name="difference_of_run_by_kind")]

    def __str__(self) -> str:
        return self.sentence

    @property
    def terms(self) -> KindOfDifference:
        """What its kind means, and how it is repaired."""
        return KINDS[DifferenceKind(self.kind)]

    @property
    def object_id(self) -> str:
        """Stripe's id of the object that it is about."""
        return self.match_key.partition(":")[2]

    def as_log(self) -> dict[str, Any]:
        """Its facts for logs and alerts."""
        return {"kind": self.kind, "key": self.match_key, "amount_minor": self.amount_minor, "currency": self.currency}
