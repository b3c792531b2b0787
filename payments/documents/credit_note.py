"""Credit notes as PDF: what came back of a paid order, when, for which items, and the tax in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.conf import settings

from accounts.moments import write_day
from accounts.time_zones import zone_of_user
from money import Money
from payments.documents.numbering import number_credit_note
from payments.documents.paper import (
    Text,
    begin_page,
    draw_amount,
    draw_buyer,
    draw_column_titles,
    draw_item,
    draw_note_of_gaps,
    draw_row,
    draw_rule,
    draw_taxes,
)
from payments.models import Document, Refund, RefundAllocation
from payments.pdf import Document as Pdf
from payments.pdf import render_pdf
from payments.tax.totals import TaxTotal, totals_by_rate


def render_credit_note_of(refund_id: str) -> bytes:
    """The credit note of the refund with this id, numbered now if it is not yet: what the mail about it attaches.

    Raises Refund.DoesNotExist, and ValueError for a refund that did not succeed or is not of an order.
    """
    refund = Refund.objects.select_related("payment__order").get(pk=refund_id)
    return render_credit_note(number_credit_note(refund))


def render_credit_note(document: Document) -> bytes:
    """The credit note. Raises ValueError for another kind of document."""
    return render_pdf(credit_note_of(document))


def credit_note_of(document: Document) -> Callable[[Pdf], None]:
    """A function that draws the credit note. Raises ValueError for another kind of document."""
    if document.refund is None:
        raise ValueError("only credit notes have a refund")
    return partial(_draw_onto, document=document, refund=document.refund)


def _draw_onto(pdf: Pdf, *, document: Document, refund: Refund) -> None:
    order = document.order
    begin_page(pdf, title=f"{document} · order {order.number}")
    draw_row(pdf, str(document), size=14, style="B")
    pdf.ln(1)
    receipt = order.documents.get(kind=Document.Kind.RECEIPT)
    draw_row(pdf, f"Order {order.number}, receipt {receipt.number}", size=10)
    _draw_outcome(pdf, refund)
    pdf.ln(4)
    draw_buyer(pdf, order, refund.payment)
    parts = list(refund.allocations.select_related("line").order_by("line__pk"))
    _draw_parts(pdf, parts, refund)
    draw_rule(pdf)
    draw_amount(pdf, "Refunded", refund.amount * -1, style="B")
    tax_minor = sum(part.tax_minor for part in parts)
    if tax_minor:
        draw_amount(pdf, f"of which {settings.TAX_LABEL}", Money(-tax_minor, refund.currency))
    draw_taxes(pdf, _taxes_of(parts))
    draw_note_of_gaps(pdf, order)


def _taxes_of(parts: Sequence[RefundAllocation]) -> Sequence[TaxTotal]:
    """What came back by rate, negative as on the rest of the note."""
    return totals_by_rate((part.line.tax_bps, part.amount * -1, part.tax * -1, part.tax * 0) for part in parts)


def _draw_outcome(pdf: Pdf, refund: Refund) -> None:
    zone = zone_of_user(refund.payment.order.user)
    if refund.succeeded_at:
        how = f" to {refund.payment.paid_with}" if refund.payment.paid_with else ""
        draw_row(pdf, f"Refunded on {write_day(refund.succeeded_at, zone)}{how}", size=10)
    if not refund.has_succeeded and refund.ended_at:
        # The bank can send it back after it had confirmed it.
        failed = f"Void: the bank returned this refund on {write_day(refund.ended_at, zone)}."
        draw_row(pdf, failed, size=10, style="B")


def _draw_parts(pdf: Pdf, parts: list[RefundAllocation], refund: Refund) -> None:
    draw_column_titles(pdf)
    for part in parts:
        places = str(part.quantity) if part.quantity else ""
        texts = [Text(part.line.title, 11), Text(part.line.description)]
        if part.line.tax_debtor_name:
            texts.append(Text(part.line.tax_debtor_text))
        draw_item(pdf, texts, (places, "", str(part.amount * -1)))
    if refund.to_allocate.minor:
        whole = [Text(f"Part of order {refund.payment.order.number}", 11)]
        draw_item(pdf, whole, ("", "", str(refund.to_allocate * -1)))
