"""A teacher's statement for a month or a year in one currency, as figures, CSV and PDF."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from io import StringIO

from django.conf import settings
from fpdf.enums import XPos, YPos

from accounts.models import Teacher
from accounts.moments import write_day
from ledger.balances import balances_of_teacher
from money import Money
from payments.csv_cells import as_plain_cell
from payments.earnings.movements import Movement, as_movements, rows_of_movements
from payments.pdf import Document, render_pdf
from payments.tax.report import owed_by_teacher
from payments.tax.words import name_rate

_MARGIN_MM = 18
_COLUMNS_MM = (28, 92, 27, 27)
_ROW_MM = 6
# The shortest time that PostgreSQL knows: balances include what took effect at their moment.
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A calendar month or year in the teacher's time zone: from `since` until just before `until`."""

    year: int
    month: int | None
    zone: tzinfo

    @property
    def since(self) -> datetime:
        return datetime(self.year, self.month or 1, 1, tzinfo=self.zone)

    @property
    def until(self) -> datetime:
        if self.month is None or self.month == 12:  # noqa: PLR2004  # December
            return datetime(self.year + 1, 1, 1, tzinfo=self.zone)
        return datetime(self.year, self.month + 1, 1, tzinfo=self.zone)

    @property
    def name(self) -> str:
        """Such as 2026-11, or 2026 for a year."""
        return str(self.year) if self.month is None else f"{self.year}-{self.month:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the teacher had before the period, each movement in it, oldest first, and what they had at its end."""

    teacher: Teacher
    period: Period
    opening: Money
    movements: list[Movement]
    # The tax in what was sold, less refunds, that the teacher owes out of their shares; by rate in basis points.
    taxes: Sequence[tuple[int, Money]] = ()

    @property
    def currency(self) -> str:
        return self.opening.currency

    @property
    def closing(self) -> Money:
        closing = self.opening
        for movement in self.movements:
            closing += movement.amount
        return closing

    @property
    def file_name(self) -> str:
        """The file name without its extension."""
        return f"statement-{self.period.name}-{self.currency.lower()}"

    def with_balances(self) -> Iterator[tuple[Movement, Money]]:
        """Each movement with what the teacher had after it."""
        balance = self.opening
        for movement in self.movements:
            balance += movement.amount
            yield movement, balance


def write_statement(teacher: Teacher, currency: str, period: Period) -> Statement:
    """The statement of one period. What the teacher has is everything earned that was not paid out."""
    before = balances_of_teacher(teacher.pk, effective_at=period.since - _INSTANT)
    rows = (
        rows_of_movements(teacher.pk, currency)
        .filter(effective_at__gte=period.since, effective_at__lt=period.until)
        .order_by("effective_at", "journal_id")
    )
    return Statement(
        teacher=teacher,
        period=period,
        opening=sum((each for (_, of), each in before.items() if of == currency), start=Money.zero(currency)),
        movements=as_movements(rows, teacher_id=teacher.pk),
        taxes=owed_by_teacher(teacher.pk, currency, since=period.since, until=period.until),
    )


def as_csv(statement: Statement) -> str:
    """The statement as CSV; amounts in major units with a decimal point. Cells never begin a spreadsheet formula."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(["Date", "What", "Order", "Description", "Currency", "Amount", "Balance"])
    first_day = write_day(statement.period.since, statement.period.zone)
    writer.writerow([first_day, "Opening balance", "", "", statement.currency, "", statement.opening.to_major()])
    for movement, balance in statement.with_balances():
        writer.writerow(
            [
                movement.at.astimezone(statement.period.zone).isoformat(timespec="seconds"),
                movement.title,
                movement.order_number,
                as_plain_cell(movement.description),
                statement.currency,
                movement.amount.to_major(),
                balance.to_major(),
            ]
        )
    return file.getvalue()


def as_pdf(statement: Statement) -> bytes:
    """The statement as PDF."""
    return render_pdf(partial(_draw_onto, statement=statement))


def _draw_onto(pdf: Document, *, statement: Statement) -> None:
    pdf.set_title(f"Statement {statement.period.name}")
    pdf.set_margin(_MARGIN_MM)
    pdf.add_page()
    _heading(pdf, settings.SITE_NAME, size=18)
    _heading(pdf, f"Statement {statement.period.name}, {statement.currency}", size=13)
    _heading(pdf, statement.teacher.user.display_name, size=10)
    pdf.ln(6)
    _row(pdf, ("Date", "What", "Amount", "Balance"), style="B")
    _row(pdf, ("", "Opening balance", "", str(statement.opening)))
    for movement, balance in statement.with_balances():
        what = " · ".join(part for part in (movement.title, movement.order_number, movement.description) if part)
        day = write_day(movement.at, statement.period.zone)
        _row(pdf, (day, what, str(movement.amount), str(balance)))
    _row(pdf, ("", "Closing balance", "", str(statement.closing)), style="B")
    for bps, tax in statement.taxes:
        _row(pdf, ("", f"{name_rate(bps)} in these sales, which you owe", str(tax), ""))


def _heading(pdf: Document, text: str, *, size: int) -> None:
    pdf.set_font(pdf.family, style="B" if size > 10 else "", size=size)  # noqa: PLR2004  # the name is set plain
    pdf.multi_cell(0, size * 0.5, pdf.printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _row(pdf: Document, cells: tuple[str, str, str, str], *, style: str = "") -> None:
    """One row; a long description takes several lines."""
    pdf.set_font(pdf.family, style=style, size=9)
    if pdf.will_page_break(3 * _ROW_MM):
        pdf.add_page()
    top, left = pdf.get_y(), pdf.l_margin
    bottom = top
    for position, (text, width) in enumerate(zip(cells, _COLUMNS_MM, strict=True)):
        pdf.set_xy(left + sum(_COLUMNS_MM[:position]), top)
        is_amount = position >= 2  # noqa: PLR2004  # the two columns at the right
        pdf.multi_cell(width, _ROW_MM, pdf.printable(text), align="R" if is_amount else "L", new_y=YPos.NEXT)
        bottom = max(bottom, pdf.get_y())
    pdf.set_xy(left, bottom)
