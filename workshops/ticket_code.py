"""The QR code on a ticket: the address of the page on which the workshop's teacher checks the ticket."""

from __future__ import annotations

import segno
from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from workshops.models import Registration


def draw_ticket_code(ticket: Registration) -> SafeString:
    """The code as SVG without styles, black on white in dark mode too, since cameras expect that."""
    address = f"{settings.BASE_URL}{reverse('workshops:ticket_check', args=[ticket.code])}"
    # A quarter of the code may be creased or smudged.
    code = segno.make_qr(address, error="q")
    drawn = code.svg_inline(omitsize=True, dark="#000", light="#fff", svgclass="ticket-code", lineclass=None)
    return mark_safe(drawn)  # noqa: S308  # drawn by the library from an address of this site
