"""All documents of an order in one file: its receipt, then its credit notes in the order in which money came back."""

from __future__ import annotations

from payments.documents.credit_note import credit_note_of
from payments.documents.receipt import receipt_of
from payments.models import Document, Order
from payments.pdf import Document as Pdf
from payments.pdf import render_pdf


def render_all_documents(order: Order) -> bytes:
    """The documents of a paid order. Raises ValueError for an unpaid one."""
    notes = order.documents.filter(kind=Document.Kind.CREDIT_NOTE).select_related(
        "order__user", "refund__payment__order__user"
    )
    drawings = [receipt_of(order), *map(credit_note_of, notes.order_by("issued_at", "pk"))]

    def draw(pdf: Pdf) -> None:
        for one in drawings:
            one(pdf)

    return render_pdf(draw)
