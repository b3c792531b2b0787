"""What every document shows in the same way: seller, buyer, a table of items, and amounts."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from fpdf.enums import MethodReturnValue, XPos, YPos

from accounts.canonical_addresses import readable_address
from money import Money
from payments.models import Order, Payment
from payments.pdf import GAP, Document
from payments.tax.totals import TaxTotal

_MARGIN_MM = 20
_WIDTH_MM = 210 - 2 * _MARGIN_MM
# What was bought, how many, the price of one, and of all.
_COLUMNS_MM = (86, 14, 35, 35)
_AMOUNT_MM = 45
_TAX_COLUMNS_MM = (65, 35, 35, 35)
_LINE_MM = 5


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a line; it may take several rows of print."""

    text: str
    size: int = 9
    style: str = ""


def begin_page(pdf: Document, *, title: str) -> None:
    """The first page of a document, headed by the seller. `title` stands at its foot."""
    pdf.set_margin(_MARGIN_MM)
    # Draws the foot of the page before, which may belong to another document.
    pdf.add_page()
    pdf.set_title(title)
    _draw_seller(pdf)


def draw_note_of_gaps(pdf: Document, order: Order) -> None:
    """Say where to read what could not be printed, if anything could not."""
    if pdf.has_gaps:
        pdf.ln(8)
        page = f"{settings.BASE_URL}{order.get_absolute_url()}"
        draw_row(
            pdf, f"{GAP} marks letters that this file cannot show. Print the order's page to see them: {page}", size=9
        )


def _draw_seller(pdf: Document) -> None:
    draw_row(pdf, settings.SELLER_NAME, size=20, style="B")
    for row in settings.SELLER_ADDRESS.splitlines():
        draw_row(pdf, row, size=9)
    if settings.SELLER_TAX_NUMBER:
        draw_row(pdf, f"{settings.TAX_LABEL} number: {settings.SELLER_TAX_NUMBER}", size=9)
    pdf.ln(6)


def draw_buyer(pdf: Document, order: Order, payment: Payment | None) -> None:
    """The buyer as they call themselves here, then as their bank knows them."""
    at_the_bank = payment.billed_to.splitlines() if payment else []
    draw_row(pdf, "Billed to", size=10, style="B")
    for row in dict.fromkeys([order.user.display_name, *at_the_bank, readable_address(order.user.email)]):
        draw_row(pdf, row, size=10)
    pdf.ln(6)


def draw_column_titles(pdf: Document) -> None:
    titles = zip(("Item", "Number", "Price", "Amount"), _COLUMNS_MM, ("L", "R", "R", "R"), strict=True)
    pdf.set_font(pdf.family, style="B", size=9)
    for title, width, align in titles:
        pdf.cell(width, 6, title, align=align)
    pdf.ln(6)
    draw_rule(pdf)


def draw_item(pdf: Document, texts: Sequence[Text], values: Sequence[str]) -> None:
    """One row of the table: texts below each other, and what stands in the other columns. Pages never tear it."""
    if pdf.will_page_break(sum(_height_of(pdf, text) for text in texts)):
        pdf.add_page()
        draw_column_titles(pdf)
    top = pdf.get_y()
    for text in texts:
        _print(pdf, text, width=_COLUMNS_MM[0])
    bottom = pdf.get_y()
    pdf.set_xy(_MARGIN_MM + _COLUMNS_MM[0], top)
    pdf.set_font(pdf.family, size=10)
    for value, width in zip(values, _COLUMNS_MM[1:], strict=True):
        pdf.cell(width, _LINE_MM, pdf.printable(value), align="R")
    pdf.set_xy(_MARGIN_MM, bottom + 2)


def draw_rule(pdf: Document) -> None:
    pdf.set_draw_color(160)
    pdf.line(_MARGIN_MM, pdf.get_y(), _MARGIN_MM + _WIDTH_MM, pdf.get_y())
    pdf.ln(2)


def draw_amount(pdf: Document, text: str, amount: Money, *, style: str = "") -> None:
    label = Text(text, 11, style)
    if pdf.will_page_break(_height_of(pdf, label)):
        pdf.add_page()
    pdf.set_font(pdf.family, style=style, size=label.size)
    pdf.cell(_WIDTH_MM - _AMOUNT_MM, _LINE_MM + 1, pdf.printable(text), align="L")
    pdf.cell(_AMOUNT_MM, _LINE_MM + 1, pdf.printable(str(amount)), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def draw_taxes(pdf: Document, taxes: Sequence[TaxTotal]) -> None:
    """Net, tax and gross for each rate."""
    if not taxes:
        return
    pdf.ln(3)
    if pdf.will_page_break((len(taxes) + 1) * _LINE_MM):
        pdf.add_page()
    rows = [(total.name, str(total.net), str(total.tax), str(total.gross)) for total in taxes]
    for style, row in (("B", ("Tax", "Net", "Tax amount", "Gross")), *(("", row) for row in rows)):
        pdf.set_font(pdf.family, style=style, size=9)
        for text, width, align in zip(row, _TAX_COLUMNS_MM, ("L", "R", "R", "R"), strict=True):
            pdf.cell(width, _LINE_MM, pdf.printable(text), align=align)
        pdf.ln(_LINE_MM)
    pdf.ln(2)


def draw_row(pdf: Document, text: str, *, size: int, style: str = "") -> None:
    _print(pdf, Text(text, size, style), width=_WIDTH_MM)


def _print(pdf: Document, text: Text, *, width: float) -> None:
    pdf.set_font(pdf.family, style=text.style, size=text.size)
    printable = pdf.printable(text.text)
    # In a column a text begins on the side where its reader begins; the rows above them have no other side.
    align = _side_of(printable) if width == _COLUMNS_MM[0] else "L"
    pdf.multi_cell(width, _row_height(text), printable, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _height_of(pdf: Document, text: Text) -> float:
    """How much of the page a text of a line takes, which depends on where its words break."""
    pdf.set_font(pdf.family, style=text.style, size=text.size)
    printable = pdf.printable(text.text)
    height = pdf.multi_cell(_COLUMNS_MM[0], _row_height(text), printable, dry_run=True, output=MethodReturnValue.HEIGHT)
    return cast("float", height)


def _row_height(text: Text) -> float:
    return text.size * 0.5


def _side_of(text: str) -> str:
    """The side where a reader of its script begins: R for Arabic and Hebrew."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    first = next((direction for direction in directions if direction in ("L", "R", "AL")), "L")
    return "L" if first == "L" else "R"
