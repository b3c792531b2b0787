"""A gift to print or pass on, as PDF: what it is, for whom and from whom, with its code as text and as QR code."""

from __future__ import annotations

import segno
from django.conf import settings

from payments.documents.paper import begin_page, draw_row
from payments.gifts.codes import code_of
from payments.gifts.mails import link_of
from payments.models import Gift
from payments.pdf import Document as Pdf
from payments.pdf import render_pdf

_CODE_MM = 50


def render_gift_of(reference: str) -> bytes:
    """The PDF of a gift, as mails attach it. Raises Gift.DoesNotExist."""
    gifts = Gift.objects.select_related("line__order__user", "line__teacher")
    return render_gift(gifts.get(reference=reference))


def render_gift(gift: Gift) -> bytes:
    """The PDF of a gift. One that cannot be redeemed any more shows no code, and says why."""
    code = code_of(gift) if gift.is_waiting and not gift.voided_at else ""

    def draw_onto(pdf: Pdf) -> None:
        begin_page(pdf, title="A gift for you")
        draw_row(pdf, f"For {gift.receiver_name}", size=18, style="B")
        draw_row(pdf, f"From {gift.line.order.user.display_name}", size=12)
        pdf.ln(6)
        draw_row(pdf, gift.line.title, size=14, style="B")
        if gift.line.description:
            draw_row(pdf, gift.line.description, size=10)
        if gift.message:
            pdf.ln(4)
            draw_row(pdf, gift.message, size=12)
        pdf.ln(8)
        _draw_code(pdf, gift, code)

    return render_pdf(draw_onto)


def _draw_code(pdf: Pdf, gift: Gift, code: str) -> None:
    if not code:
        draw_row(pdf, f"{gift.state}.", size=12)
        return
    draw_row(pdf, code, size=16, style="B")
    draw_row(pdf, f"Scan the code below, or enter it at {settings.BASE_URL}/gift/", size=10)
    pdf.ln(4)
    _draw_squares(pdf, link_of(code))


def _draw_squares(pdf: Pdf, address: str) -> None:
    """The QR code as black squares: sharp at any size, and no image library is needed."""
    rows = list(segno.make_qr(address, error="m").matrix)
    size, left, top = _CODE_MM / len(rows), pdf.l_margin, pdf.get_y()
    pdf.set_fill_color(0)
    for down, row in enumerate(rows):
        for across, is_dark in enumerate(row):
            if is_dark:
                pdf.rect(left + across * size, top + down * size, size, size, style="F")
    pdf.set_y(top + _CODE_MM)
