"""The QR code of a gift on its page."""

from __future__ import annotations

import segno
from django.utils.safestring import SafeString, mark_safe


def draw_gift_code(address: str) -> SafeString:
    """The code as SVG without styles, black on white in dark mode too, since cameras expect that."""
    code = segno.make_qr(address, error="m")
    drawn = code.svg_inline(omitsize=True, dark="#000", light="#fff", svgclass="ticket-code", lineclass=None)
    return mark_safe(drawn)  # noqa: S308  # drawn by the library from an address of this site
