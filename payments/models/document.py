"""The numbered documents of orders: a receipt for each paid order, a credit note for each refund."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payments.models.order import Order
from payments.models.refund import Refund


class Document(models.Model):
    """One document. A trigger counts each kind without gaps within a year; nothing in it ever changes."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", "Receipt"
        CREDIT_NOTE = "credit_note", "Credit note"

    kind = models.CharField(max_length=11, choices=Kind)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="documents")
    refund = models.OneToOneField(Refund, null=True, on_delete=models.PROTECT, related_name="document")
    year = models.PositiveSmallIntegerField(help_text="In UTC.")
    # The database's, whatever the statement says.
    sequence = models.PositiveIntegerField(db_default=0, editable=False)
    issued_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "year", "sequence"], name="document_number_once"),
            models.UniqueConstraint(fields=["order"], condition=Q(kind="receipt"), name="one_receipt_per_order"),
            models.CheckConstraint(
                condition=Q(kind="receipt", refund=None) | Q(kind="credit_note", refund__isnull=False),
                name="credit_notes_have_their_refund",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def number(self) -> str:
        """As people read it: R-2026-00042."""
        return f"{'R' if self.kind == self.Kind.RECEIPT else 'C'}-{self.year}-{self.sequence:05}"

    @property
    def file_name(self) -> str:
        return f"{self.get_kind_display().lower().replace(' ', '-')}-{self.number}.pdf"
