"""Cells of CSV files that spreadsheets show instead of running."""

from __future__ import annotations

# The last four are full-width signs, which some spreadsheets take for the plain ones.
_BEGIN_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_plain_cell(text: str) -> str:
    """The text, marked as text if a spreadsheet would run it: people write titles, and one may be "=HYPERLINK(…)"."""
    return f"'{text}" if text[:1] in _BEGIN_A_FORMULA else text
