"""Checkpoints of balances, and how transactions are numbered."""

from __future__ import annotations

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Q, Value

from ledger.models.account import Account


class Checkpoint(models.Model):
    """The sum of all postings of an account whose transaction number is below `horizon`.

    It is taken only once no transaction below the horizon can still commit, so the sum never changes. The checkpoints
    of an account form a chain: each adds the segment of postings from `since`, the horizon before, up to its own.
    Derived from postings: they may be deleted, and are then taken again.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checkpoints", db_index=False)
    # Of the account's checkpoints, counted from 1.
    number = models.PositiveIntegerField()
    since = models.BigIntegerField()
    horizon = models.BigIntegerField()
    # The segment alone.
    postings = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()
    first_recorded_at = models.DateTimeField()
    last_recorded_at = models.DateTimeField()
    # All below the horizon.
    balance_minor = models.BigIntegerField()
    latest_recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["account", "latest_recorded_at", "horizon"], name="ledger_checkpoint_by_time"),
            # The checkpoints that are recorded in part at a given moment.
            GistIndex(
                Func(F("account"), F("account"), Value("[]"), function="int8range", output_field=models.Field()),
                Func(
                    F("first_recorded_at"), F("latest_recorded_at"), function="tstzrange", output_field=models.Field()
                ),
                name="ledger_checkpoint_in_part",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "horizon"], name="ledger_checkpoint_once"),
            models.UniqueConstraint(fields=["account", "number"], name="ledger_checkpoint_numbered"),
            models.UniqueConstraint(fields=["account", "since"], name="ledger_checkpoint_in_a_chain"),
            models.CheckConstraint(condition=Q(horizon__gt=F("since")), name="ledger_checkpoint_goes_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.account} below {self.horizon}"


class Numbering(models.Model):
    """How transactions are numbered: one row, read by each journal and changed only with checkpoints.

    A transaction's number is PostgreSQL's (xid8) plus `shift`. The shift is zero until the database is restored into
    another cluster, where PostgreSQL's numbers may start below `horizon`, the highest horizon of any checkpoint.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    shift = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)
    # After a new shift: PostgreSQL's number below which a transaction may still use the former one. NULL: to be found.
    settled_from = models.BigIntegerField(default=0, null=True)
    # Accounts were searched for postings to cover up to this number.
    searched_to = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="ledger_numbering_is_one_row")]

    def __str__(self) -> str:
        return f"xid8 + {self.shift}"
