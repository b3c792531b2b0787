"""Accounts: one for each kind, currency and, for some kinds, teacher."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from accounts.models import Teacher
from ledger.chart import CHART, OF_PLATFORM, PER_TEACHER
from ledger.entries import AccountKind


class Account(models.Model):
    """Opened when first needed, never changed or deleted. It stores no balance: a popular teacher is no hot row."""

    kind = models.CharField(max_length=30)
    teacher = models.ForeignKey(
        Teacher, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_accounts"
    )
    currency = models.CharField(max_length=3)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            # Zero stands for no teacher: two NULLs would not be equal.
            models.UniqueConstraint(
                F("kind"), Coalesce("teacher", Value(0)), F("currency"), name="ledger_account_opened_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=sorted(kind.value for kind in PER_TEACHER), teacher__isnull=False)
                | Q(kind__in=sorted(kind.value for kind in OF_PLATFORM), teacher__isnull=True),
                name="ledger_account_fits_the_chart",
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="ledger_account_currency_code"),
        ]

    def __str__(self) -> str:
        title = CHART[AccountKind(self.kind)].title
        return f"{title} {self.currency}" + (f" of {self.teacher}" if self.teacher else "")
