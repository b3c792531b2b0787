"""The invariant between the tax of what was sold and what the ledger says is payable."""

from __future__ import annotations

from django.db import connection

from jobs.invariants import Invariant

# Disputes have their own invariant, which compares everything they take.
_WRONG_TAX = """
WITH returned AS (
    SELECT a.line_id, sum(a.amount_minor - a.fee_minor - a.share_minor) AS minor
      FROM payments_refundallocation a JOIN payments_refund r ON r.id = a.refund_id
     WHERE r.status = 'succeeded' GROUP BY a.line_id
), expected AS (
    SELECT 'order:' || o.number AS subject, sum(l.platform_tax_minor - COALESCE(r.minor, 0)) AS minor
      FROM payments_orderline l JOIN payments_order o ON o.id = l.order_id LEFT JOIN returned r ON r.line_id = l.id
     WHERE l.platform_tax_minor > 0 AND l.state IN ('fulfilled', 'revoked') GROUP BY o.number
), booked AS (
    SELECT j.subject, -sum(p.amount_minor) AS minor
      FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id JOIN ledger_journal j ON j.id = p.journal_id
     WHERE a.kind = 'tax_payable' AND j.subject LIKE 'order:%' GROUP BY j.subject
)
SELECT o.id FROM expected FULL JOIN booked USING (subject) JOIN payments_order o ON 'order:' || o.number = subject
 WHERE COALESCE(expected.minor, 0) <> COALESCE(booked.minor, 0)
 ORDER BY o.id
"""


class TaxIsBooked:
    name = "payments.tax_is_booked"
    promise = (
        "The tax that the ledger says is payable for each order is the tax that the platform owes for its delivered "
        "lines, less what refunds gave back."
    )

    def breaking(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(_WRONG_TAX)
            return [row[0] for row in cursor.fetchall()]


INVARIANTS: tuple[Invariant, ...] = (TaxIsBooked(),)
