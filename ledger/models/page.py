"""The postings below checkpoints in the order in which they took effect."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ledger.models.account import Account

PAGE_POSTINGS = 256
CHECKPOINTS_PER_BLOCK = 16


class Page(models.Model):
    """A part of a block: moments of effect in order, each with the sum of the block's postings up to it.

    The checkpoints of an account are grouped into blocks: at level 0 of one each, at level 1 of 16, at level 2 of 256.
    The first so many checkpoints are then a few blocks, and one page of each gives what had taken effect by a moment.
    Derived from postings, like checkpoints.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    level = models.PositiveSmallIntegerField()
    block = models.PositiveIntegerField()
    page = models.PositiveIntegerField()
    first_effective_at = models.DateTimeField()
    effective = ArrayField(models.DateTimeField())
    sums = ArrayField(models.BigIntegerField())

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["account", "level", "block", "first_effective_at", "page"], name="ledger_page_by_time")
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "level", "block", "page"], name="ledger_page_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account}, level {self.level}, block {self.block}, page {self.page}"
