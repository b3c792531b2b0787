"""What was sold, given back and is owed as tax, by month, country of the buyer, rate and currency.

Derived from orders, refunds and disputes. What the platform owes adds up to what the ledger says is payable: an
invariant compares them order by order.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO

from django.db import connection

from money import Money
from payments.csv_cells import as_plain_cell
from payments.disputes.claims import CLOSED

_CLOSED = ", ".join(f"'{status}'" for status in sorted(CLOSED))

# What a line that was delivered was sold for, and what refunds and lost disputes took of it, at the moment of each. A
# refund that the bank returned counts when it succeeded, and against that when it ended. Only what the platform owes is
# less after a dispute: it changes no receipt of a teacher.
_QUERY = f"""
WITH lost AS (
    SELECT d.id, d.closed_at FROM payments_dispute d
     WHERE d.status IN ({_CLOSED}) AND (d.status <> 'won' OR EXISTS (
           SELECT FROM payments_disputemovement m WHERE m.dispute_id = d.id AND m.claim_minor < 0))
), moved AS (
    SELECT l.id AS line_id, o.paid_at AS at, l.amount_minor AS sold, l.tax_minor AS sold_tax, 0 AS returned, 0 AS returned_tax
      FROM payments_orderline l JOIN payments_order o ON o.id = l.order_id
    UNION ALL
    SELECT a.line_id, GREATEST(r.succeeded_at, (SELECT max(c.at) FROM payments_refundchange c
                                                 WHERE c.refund_id = r.id AND c.kind = 'allocated')),
           0, 0, a.amount_minor, a.tax_minor
      FROM payments_refundallocation a JOIN payments_refund r ON r.id = a.refund_id WHERE r.succeeded_at IS NOT NULL
    UNION ALL
    SELECT a.line_id, r.ended_at, 0, 0, -a.amount_minor, -a.tax_minor
      FROM payments_refundallocation a JOIN payments_refund r ON r.id = a.refund_id
     WHERE r.succeeded_at IS NOT NULL AND r.ended_at IS NOT NULL
    UNION ALL
    SELECT a.line_id, lost.closed_at, 0, 0, a.amount_minor, a.amount_minor - a.fee_minor - a.share_minor
      FROM payments_disputeallocation a JOIN lost ON lost.id = a.dispute_id
      JOIN payments_orderline l ON l.id = a.line_id AND l.platform_tax_minor > 0
)
SELECT date_trunc('month', m.at AT TIME ZONE 'UTC')::date AS month, COALESCE(p.billed_country, '') AS country, l.tax_bps,
       o.currency, l.platform_tax_minor > 0 AS is_owed_by_platform,
       sum(m.sold), sum(m.sold_tax), sum(m.returned), sum(m.returned_tax)
  FROM moved m JOIN payments_orderline l ON l.id = m.line_id JOIN payments_order o ON o.id = l.order_id
  LEFT JOIN payments_payment p ON p.order_id = o.id AND p.status = 'succeeded'
 WHERE l.tax_bps > 0 AND l.state IN ('fulfilled', 'revoked') AND m.at >= %s AND m.at < %s
   AND (%s::bigint IS NULL OR l.teacher_id = %s)
 GROUP BY 1, 2, 3, 4, 5
 ORDER BY 1 DESC, 4, 2, 3 DESC, 5 DESC
"""  # noqa: S608  # our own text


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    """One month, country, rate and currency. Amounts with tax; what came back includes lost disputes."""

    month: date
    # ISO 3166 code; empty if the bank did not report it.
    country: str
    bps: int
    is_owed_by_platform: bool
    sold: Money
    sold_tax: Money
    returned: Money
    returned_tax: Money

    @property
    def net(self) -> Money:
        """What was sold less what came back, without tax."""
        return self.sold - self.returned - self.tax

    @property
    def tax(self) -> Money:
        """What is owed for it."""
        return self.sold_tax - self.returned_tax

    @property
    def rate(self) -> str:
        return f"{self.bps / 100:g} %"

    @property
    def debtor(self) -> str:
        """Who owes it."""
        return "Platform" if self.is_owed_by_platform else "Teachers"


def tax_report(*, since: datetime, until: datetime, teacher_id: int | None = None) -> Sequence[TaxRow]:
    """The rows from `since` to before `until`, the latest month first; of one teacher's sales or of all. Months in UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, [since, until, teacher_id, teacher_id])
        return [_row(*values) for values in cursor.fetchall()]


def _row(
    month: date, country: str, bps: int, currency: str, is_owed: bool, *minor: int
) -> TaxRow:  # a row of the query
    sold, sold_tax, returned, returned_tax = (Money(int(each), currency) for each in minor)
    return TaxRow(
        month=month,
        country=country,
        bps=bps,
        is_owed_by_platform=is_owed,
        sold=sold,
        sold_tax=sold_tax,
        returned=returned,
        returned_tax=returned_tax,
    )


def owed_by_teacher(teacher_id: int, currency: str, *, since: datetime, until: datetime) -> Sequence[tuple[int, Money]]:
    """What a teacher owes for their sales in one currency, by rate in basis points, the highest first."""
    sums: dict[int, Money] = {}
    for row in tax_report(since=since, until=until, teacher_id=teacher_id):
        if not row.is_owed_by_platform and row.tax.currency == currency:
            sums[row.bps] = sums.get(row.bps, Money.zero(currency)) + row.tax
    return sorted(sums.items(), reverse=True)


def read_year(text: str, *, default: int) -> int:
    """The year that a request names; the default if it names none."""
    return int(text) if re.fullmatch(r"20[0-9]{2}", text, re.ASCII) else default


def owed_by_platform(rows: Iterable[TaxRow]) -> Sequence[Money]:
    """What the platform owes by these rows, in each currency."""
    sums: dict[str, Money] = {}
    for row in rows:
        if row.is_owed_by_platform:
            sums[row.tax.currency] = sums.get(row.tax.currency, Money.zero(row.tax.currency)) + row.tax
    return [sums[currency] for currency in sorted(sums)]


_TITLES = (
    "Month",
    "Country",
    "Rate",
    "Currency",
    "Owed by",
    "Sales with tax",
    "Tax on sales",
    "Returned with tax",
    "Tax returned",
    "Net",
    "Tax",
)


def report_as_csv(rows: Iterable[TaxRow]) -> str:
    """The report as a file for a spreadsheet: amounts in major units with a point."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(_TITLES)
    for row in rows:
        words = (f"{row.month:%Y-%m}", row.country, f"{row.bps / 100:g}", row.sold.currency, row.debtor)
        writer.writerow([*map(as_plain_cell, words), *_amounts(row)])
    return file.getvalue()


def _amounts(row: TaxRow) -> Iterator[str]:
    for amount in (row.sold, row.sold_tax, row.returned, row.returned_tax, row.net, row.tax):
        yield str(amount.to_major())
