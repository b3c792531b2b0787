"""Journals and their postings. Written by `ledger.journals` only."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Func, Q

from ledger.models.account import Account
from money import Money

# A trigger sets these columns, whatever a statement says.
_CLOCK = Func(function="clock_timestamp", output_field=models.DateTimeField())
_TRANSACTION = Func(
    function="pg_current_xact_id", template="%(function)s()::text::bigint", output_field=models.BigIntegerField()
)


class Journal(models.Model):
    """One happening. Its postings are written in the same transaction, add up to zero, and all of it stays.

    `source` identifies the happening by facts from outside our primary keys, so that the books can be rebuilt.
    `recorded_at` is the database's clock when it was written; `effective_at` is when it happened, never later.
    """

    source = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True, help_text="What pages link to, such as order:L-1042.")
    description = models.CharField(max_length=500, blank=True)
    recorded_at = models.DateTimeField(db_default=_CLOCK)
    effective_at = models.DateTimeField(db_default=_CLOCK)
    # The number of the transaction that wrote it, as `Numbering` says: only that one may add postings.
    xact_id = models.BigIntegerField(db_default=_TRANSACTION)
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["subject"], name="ledger_journal_by_subject"),
            models.Index(fields=["effective_at"], name="ledger_journal_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(source=""), name="ledger_journal_has_a_source"),
            models.CheckConstraint(
                condition=Q(effective_at__lte=F("recorded_at")), name="ledger_journal_not_in_the_future"
            ),
        ]

    def __str__(self) -> str:
        return self.source


class Posting(models.Model):
    """An amount on one account: debits positive, credits negative, in minor units of the account's currency.

    The moments and the transaction are the journal's, copied by a trigger, so that balances read one table. There are
    no foreign keys in the database: their locks would make an account's row hot. Triggers check both references, and
    that neither is ever deleted.
    """

    journal = models.ForeignKey(
        Journal, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField(db_default=_CLOCK)
    effective_at = models.DateTimeField(db_default=_CLOCK)
    xact_id = models.BigIntegerField(db_default=_TRANSACTION)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            # For balances, which read nothing but this index.
            models.Index(
                fields=["account", "xact_id"],
                include=["recorded_at", "effective_at", "amount_minor"],
                name="ledger_posting_for_balances",
            ),
            models.Index(fields=["account", "effective_at"], name="ledger_posting_by_time"),
            # Almost free, since numbers grow with the table: for finding what the last checkpoints did not cover.
            BrinIndex(fields=["xact_id"], autosummarize=True, name="ledger_posting_latest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["journal", "account"], name="ledger_posting_account_once_per_journal"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_posting_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} on {self.account}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.account.currency)
