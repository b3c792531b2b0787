"""Closed periods."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q


class PeriodClose(models.Model):
    """The books up to a moment are closed: no journal takes effect before it any more. Never undone."""

    closed_until = models.DateTimeField(unique=True, help_text="Journals take effect at this moment or later.")
    closed_at = models.DateTimeField(db_default=Func(function="clock_timestamp", output_field=models.DateTimeField()))
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("close_period", "Can close a period of the books")]
        ordering = ["-closed_until"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_until__lte=F("closed_at")), name="ledger_period_closed_after_its_end"
            )
        ]

    def __str__(self) -> str:
        return f"closed until {self.closed_until:%Y-%m-%d %H:%M}"
