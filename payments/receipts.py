"""Receipts as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.conf import settings
from fpdf.enums import XPos, YPos

from accounts.moments import write_day, write_moment
from accounts.time_zones import zone_of_user
from money import Money
from payments.models import Order, OrderLine, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.pdf import GAP, Document, render_pdf

_MARGIN_MM = 20
_WIDTH_MM = 210 - 2 * _MARGIN_MM
_AMOUNT_MM = 40


def render_receipt_of(number: str) -> bytes:
    """The receipt of the order with this number. Raises Order.DoesNotExist, and ValueError for an unpaid order."""
    return render_receipt(Order.objects.select_related("user").get(number=number))


def render_receipt(order: Order) -> bytes:
    """The receipt of a paid order: buyer, lines, total, the tax in it, and what was refunded since.

    Raises ValueError for an unpaid order.
    """
    if order.paid_at is None:
        raise ValueError("only a paid order has a receipt")
    refunds = Refund.objects.filter(
        payment__order=order, payment__status=Payment.Status.SUCCEEDED, status=Refund.Status.SUCCEEDED
    )
    draw = partial(
        _draw_onto,
        order=order,
        lines=lines_in_lock_order(order),
        refunds=list(refunds.prefetch_related("allocations").order_by("succeeded_at", "pk")),
    )
    return render_pdf(draw)


def _draw_onto(pdf: Document, *, order: Order, lines: Sequence[OrderLine], refunds: Sequence[Refund]) -> None:
    pdf.set_title(f"Receipt {order.number}")
    pdf.set_margin(_MARGIN_MM)
    pdf.add_page()
    _row(pdf, settings.SITE_NAME, size=20, style="B")
    _row(pdf, f"Receipt {order.number}", size=14)
    paid_on = write_moment(order.paid_at, zone_of_user(order.user)) if order.paid_at else ""
    _row(pdf, f"Paid on {paid_on} by {order.user.display_name}", size=10)
    pdf.ln(8)
    for line in lines:
        _draw_line(pdf, line)
    _draw_total(pdf, order)
    _draw_refunds(pdf, order, refunds)
    if pdf.has_gaps:
        pdf.ln(8)
        page = f"{settings.BASE_URL}{order.get_absolute_url()}"
        _row(pdf, f"{GAP} marks letters that this file cannot show. Print the order's page to see them: {page}", size=9)


def _draw_line(pdf: Document, line: OrderLine) -> None:
    _amount_row(pdf, line.counted_title, line.amount)
    if line.discount_minor:
        _row(pdf, f"{line.list_amount} less a discount of {line.discount}", size=9)
    if line.description:
        _row(pdf, line.description, size=9)
    if line.state == OrderLine.State.UNDELIVERABLE:
        _row(pdf, "Could not be delivered; refunded.", size=9)
    pdf.ln(2)


def _draw_total(pdf: Document, order: Order) -> None:
    pdf.set_draw_color(160)
    pdf.line(_MARGIN_MM, pdf.get_y(), _MARGIN_MM + _WIDTH_MM, pdf.get_y())
    pdf.ln(2)
    if order.discount_minor:
        _amount_row(pdf, "Before discounts", order.subtotal)
        _amount_row(pdf, "Discount", order.discount * -1)
    _amount_row(pdf, "Total", order.total, style="B")
    if order.tax_minor:
        _amount_row(pdf, f"of which {settings.TAX_LABEL}", order.tax)


def _draw_refunds(pdf: Document, order: Order, refunds: Sequence[Refund]) -> None:
    """What came back to the student, and what they paid in the end."""
    if not refunds:
        return
    pdf.ln(2)
    left = order.total
    for refund in refunds:
        left -= refund.amount
        day = write_day(refund.succeeded_at, zone_of_user(order.user)) if refund.succeeded_at else ""
        _amount_row(pdf, f"Refunded on {day}", refund.amount * -1)
    _amount_row(pdf, "Paid after refunds", left, style="B")
    # The tax of a refund is known once staff have allocated it to lines.
    if order.tax_minor and not any(refund.to_allocate.minor for refund in refunds):
        returned = sum(part.tax_minor for refund in refunds for part in refund.allocations.all())
        _amount_row(pdf, f"of which {settings.TAX_LABEL}", order.tax - Money(returned, order.currency))


def _amount_row(pdf: Document, text: str, amount: Money, *, style: str = "") -> None:
    pdf.set_font(pdf.family, style=style, size=11)
    top = pdf.get_y()
    pdf.multi_cell(_WIDTH_MM - _AMOUNT_MM, 6, pdf.printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    bottom = pdf.get_y()
    pdf.set_xy(_MARGIN_MM + _WIDTH_MM - _AMOUNT_MM, top)
    pdf.cell(_AMOUNT_MM, 6, pdf.printable(str(amount)), align="R")
    pdf.set_xy(_MARGIN_MM, bottom)


def _row(pdf: Document, text: str, *, size: int, style: str = "") -> None:
    pdf.set_font(pdf.family, style=style, size=size)
    pdf.multi_cell(_WIDTH_MM, size * 0.5, pdf.printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
