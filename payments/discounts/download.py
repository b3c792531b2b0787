"""Codes as a CSV file for the people who made them: to print them, or to mail them out."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from io import StringIO

from django.utils import timezone

from payments.csv_cells import as_plain_cell
from payments.discounts.words import condition_in_words, given_by, scope_in_words, terms_in_words
from payments.models import DiscountCode

_TITLES = (
    "Code",
    "Discount",
    "Condition",
    "For",
    "Valid from",
    "Valid until",
    "Uses",
    "Uses at most",
    "State",
    "Batch",
)


def codes_as_csv(codes: Iterable[DiscountCode]) -> str:
    """The codes with their terms and what became of them. Prefetch `amounts`. Cells never begin a formula."""
    codes = list(codes)
    given, now = given_by(codes), timezone.now()
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(_TITLES)
    for code in codes:
        cells = [
            code.code,
            terms_in_words(code),
            condition_in_words(code),
            scope_in_words(code),
            _moment(code.starts_at),
            _moment(code.ends_at),
            str(given.get(code.pk, (0, []))[0]),
            "" if code.total_limit is None else str(code.total_limit),
            "Ended" if code.has_ended(now) else "Valid",
            code.batch,
        ]
        writer.writerow([as_plain_cell(cell) for cell in cells])
    return file.getvalue()


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
