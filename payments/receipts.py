"""Receipts as PDF: who sold what to whom, when and how it was paid, the tax in it, and what was refunded since."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from django.conf import settings
from fpdf.enums import MethodReturnValue, XPos, YPos

from accounts.moments import write_day, write_moment
from accounts.time_zones import zone_of_user
from money import Money
from payments.models import Order, OrderLine, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.pdf import GAP, Document, render_pdf

_MARGIN_MM = 20
_WIDTH_MM = 210 - 2 * _MARGIN_MM
# What was bought, how many, the price of one, and of all.
_COLUMNS_MM = (86, 14, 35, 35)
_AMOUNT_MM = 45
_LINE_MM = 5


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of a line; it may take several rows of print."""

    text: str
    size: int = 9
    style: str = ""


def render_receipt_of(number: str) -> bytes:
    """The receipt of the order with this number. Raises Order.DoesNotExist, and ValueError for an unpaid order."""
    return render_receipt(Order.objects.select_related("user").get(number=number))


def render_receipt(order: Order) -> bytes:
    """The receipt of a paid order. Raises ValueError for an unpaid one."""
    if order.paid_at is None:
        raise ValueError("only a paid order has a receipt")
    refunds = Refund.objects.filter(
        payment__order=order, payment__status=Payment.Status.SUCCEEDED, status=Refund.Status.SUCCEEDED
    )
    draw = partial(
        _draw_onto,
        order=order,
        payment=Payment.objects.filter(order=order, status=Payment.Status.SUCCEEDED).first(),
        lines=lines_in_lock_order(order),
        refunds=list(refunds.prefetch_related("allocations").order_by("succeeded_at", "pk")),
    )
    return render_pdf(draw)


def _draw_onto(
    pdf: Document, *, order: Order, payment: Payment | None, lines: Sequence[OrderLine], refunds: Sequence[Refund]
) -> None:
    pdf.set_title(f"Receipt {order.number}")
    pdf.set_margin(_MARGIN_MM)
    pdf.add_page()
    _draw_seller(pdf)
    _draw_payment(pdf, order, payment)
    _draw_buyer(pdf, order, payment)
    _draw_column_titles(pdf)
    for line in lines:
        _draw_line(pdf, line)
    _draw_total(pdf, order)
    _draw_refunds(pdf, order, refunds)
    if pdf.has_gaps:
        pdf.ln(8)
        page = f"{settings.BASE_URL}{order.get_absolute_url()}"
        _row(pdf, f"{GAP} marks letters that this file cannot show. Print the order's page to see them: {page}", size=9)


def _draw_seller(pdf: Document) -> None:
    _row(pdf, settings.SELLER_NAME, size=20, style="B")
    for row in settings.SELLER_ADDRESS.splitlines():
        _row(pdf, row, size=9)
    if settings.SELLER_TAX_NUMBER:
        _row(pdf, f"{settings.TAX_LABEL} number: {settings.SELLER_TAX_NUMBER}", size=9)
    pdf.ln(6)


def _draw_payment(pdf: Document, order: Order, payment: Payment | None) -> None:
    _row(pdf, f"Receipt {order.number}", size=14, style="B")
    pdf.ln(1)
    paid_on = write_moment(order.paid_at, zone_of_user(order.user)) if order.paid_at else ""
    _row(pdf, f"Paid on {paid_on}", size=10)
    if payment and payment.paid_with:
        _row(pdf, f"Paid with {payment.paid_with}", size=10)
    _row(pdf, f"Bought at {settings.SITE_NAME}, {settings.BASE_URL}", size=10)
    pdf.ln(4)


def _draw_buyer(pdf: Document, order: Order, payment: Payment | None) -> None:
    """The buyer as they call themselves here, then as their bank knows them."""
    at_the_bank = payment.billed_to.splitlines() if payment else []
    _row(pdf, "Billed to", size=10, style="B")
    for row in dict.fromkeys([order.user.display_name, *at_the_bank, order.user.email]):
        _row(pdf, row, size=10)
    pdf.ln(6)


def _draw_column_titles(pdf: Document) -> None:
    titles = zip(("Item", "Number", "Price", "Amount"), _COLUMNS_MM, ("L", "R", "R", "R"), strict=True)
    pdf.set_font(pdf.family, style="B", size=9)
    for title, width, align in titles:
        pdf.cell(width, 6, title, align=align)
    pdf.ln(6)
    _draw_rule(pdf)


def _draw_line(pdf: Document, line: OrderLine) -> None:
    texts = [_Text(line.title, 11)]
    if line.description:
        texts.append(_Text(line.description))
    if line.discount_minor:
        texts.append(_Text(f"{line.list_amount} less a discount of {line.discount}"))
    if line.state == OrderLine.State.UNDELIVERABLE:
        texts.append(_Text("Could not be delivered; refunded."))
    if pdf.will_page_break(sum(_height_of(pdf, text) for text in texts)):
        pdf.add_page()
        _draw_column_titles(pdf)
    top = pdf.get_y()
    for text in texts:
        _print(pdf, text, width=_COLUMNS_MM[0])
    bottom = pdf.get_y()
    pdf.set_xy(_MARGIN_MM + _COLUMNS_MM[0], top)
    pdf.set_font(pdf.family, size=10)
    for value, width in zip(
        (str(line.quantity), str(line.unit_amount), str(line.amount)), _COLUMNS_MM[1:], strict=True
    ):
        pdf.cell(width, _LINE_MM, pdf.printable(value), align="R")
    pdf.set_xy(_MARGIN_MM, bottom + 2)


def _draw_total(pdf: Document, order: Order) -> None:
    _draw_rule(pdf)
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


def _draw_rule(pdf: Document) -> None:
    pdf.set_draw_color(160)
    pdf.line(_MARGIN_MM, pdf.get_y(), _MARGIN_MM + _WIDTH_MM, pdf.get_y())
    pdf.ln(2)


def _amount_row(pdf: Document, text: str, amount: Money, *, style: str = "") -> None:
    label = _Text(text, 11, style)
    if pdf.will_page_break(_height_of(pdf, label)):
        pdf.add_page()
    pdf.set_font(pdf.family, style=style, size=label.size)
    pdf.cell(_WIDTH_MM - _AMOUNT_MM, _LINE_MM + 1, pdf.printable(text), align="L")
    pdf.cell(_AMOUNT_MM, _LINE_MM + 1, pdf.printable(str(amount)), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _row(pdf: Document, text: str, *, size: int, style: str = "") -> None:
    _print(pdf, _Text(text, size, style), width=_WIDTH_MM)


def _print(pdf: Document, text: _Text, *, width: float) -> None:
    pdf.set_font(pdf.family, style=text.style, size=text.size)
    printable = pdf.printable(text.text)
    # In a column a text begins on the side where its reader begins; the rows above them have no other side.
    align = _side_of(printable) if width == _COLUMNS_MM[0] else "L"
    pdf.multi_cell(width, _row_height(text), printable, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _height_of(pdf: Document, text: _Text) -> float:
    """How much of the page a text of a line takes, which depends on where its words break."""
    pdf.set_font(pdf.family, style=text.style, size=text.size)
    printable = pdf.printable(text.text)
    height = pdf.multi_cell(_COLUMNS_MM[0], _row_height(text), printable, dry_run=True, output=MethodReturnValue.HEIGHT)
    return cast("float", height)


def _row_height(text: _Text) -> float:
    return text.size * 0.5


def _side_of(text: str) -> str:
    """The side where a reader of its script begins: R for Arabic and Hebrew."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    first = next((direction for direction in directions if direction in ("L", "R", "AL")), "L")
    return "L" if first == "L" else "R"
