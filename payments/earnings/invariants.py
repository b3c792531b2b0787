"""The invariants between what happened to sales and what the ledger says.

They hold at the end of every transaction, whatever was repeated, reordered or interrupted.
"""

from __future__ import annotations

from django.db import connection

from jobs.invariants import Invariant

_MISSING_SALES = """
SELECT o.id FROM payments_order o
 WHERE o.state = 'completed' AND o.total_minor > 0
   AND NOT EXISTS (SELECT FROM ledger_journal j WHERE j.source = 'order:' || o.number || ':settled')
 ORDER BY o.id
"""

_MISSING_REFUNDS = """
SELECT r.id FROM payments_refund r
 WHERE (r.status = 'succeeded'
        OR (r.status IN ('failed', 'canceled') AND r.succeeded_at IS NOT NULL))
       <> EXISTS (SELECT FROM ledger_journal j WHERE j.source = 'refund:' || r.idempotency_key || ':succeeded')
    OR (r.status IN ('failed', 'canceled') AND r.succeeded_at IS NOT NULL)
       <> EXISTS (SELECT FROM ledger_journal j WHERE j.source = 'refund:' || r.idempotency_key || ':failed')
 ORDER BY r.id
"""

_WRONG_PENDING = """
WITH expected AS (
    SELECT e.teacher_id, e.currency,
           sum(l.teacher_share_minor - l.refunded_share_minor - l.disputed_share_minor) AS minor
      FROM payments_earning e JOIN payments_orderline l ON l.id = e.line_id
     WHERE e.matured_at IS NULL
     GROUP BY e.teacher_id, e.currency
), booked AS (
    SELECT a.teacher_id, a.currency, -sum(p.amount_minor) AS minor
      FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
     WHERE a.kind = 'teacher_pending'
     GROUP BY a.teacher_id, a.currency
)
SELECT DISTINCT COALESCE(expected.teacher_id, booked.teacher_id)
  FROM expected FULL JOIN booked USING (teacher_id, currency)
 WHERE COALESCE(expected.minor, 0) <> COALESCE(booked.minor, 0)
 ORDER BY 1
"""


class SalesAreBooked:
    name = "payments.sales_are_booked"
    promise = "Each paid order has its journal in the ledger."

    def breaking(self) -> list[int]:
        return _ids(_MISSING_SALES)


class RefundsAreBooked:
    name = "payments.refunds_are_booked"
    promise = "A refund that succeeded is in the ledger, one that failed after that is reversed there, and no other is."

    def breaking(self) -> list[int]:
        return _ids(_MISSING_REFUNDS)


class PendingIsWhatHasNotMatured:
    name = "payments.pending_is_what_has_not_matured"
    promise = (
        "What the ledger says is pending for a teacher is the shares of their lines that have not matured, less what "
        "refunds and disputes took of them. The ids are of teachers."
    )

    def breaking(self) -> list[int]:
        return _ids(_WRONG_PENDING)


INVARIANTS: tuple[Invariant, ...] = (SalesAreBooked(), RefundsAreBooked(), PendingIsWhatHasNotMatured())


def _ids(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
