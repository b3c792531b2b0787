"""The invariants between what happened to sales and what the ledger says.

They hold at the end of every transaction, whatever was repeated, reordered or interrupted.
"""

from __future__ import annotations

from django.db import connection

from jobs.invariants import Invariant

_MISSING_SALES = """
SELECT o.id FROM payments_order o
 WHERE o.state = 'completed'
   AND (o.total_minor > 0 OR EXISTS (SELECT FROM payments_orderline l
                                      WHERE l.order_id = o.id AND l.platform_discount_minor > 0
                                        AND l.state IN ('fulfilled', 'revoked')))
   AND NOT EXISTS (SELECT FROM ledger_journal j WHERE j.source = 'order:' || o.number || ':settled')
 ORDER BY o.id
"""

_WRONG_DISCOUNTS = """
SELECT l.id FROM payments_orderline l
 WHERE l.platform_discount_minor > 0 AND (
       (l.reclaimed_minor, l.reclaimed_share_minor) <> (
       SELECT COALESCE((array_agg(s.reclaimed_minor ORDER BY s.number DESC))[1], 0),
              COALESCE((array_agg(s.reclaimed_share_minor ORDER BY s.number DESC))[1], 0)
         FROM payments_discountstep s WHERE s.line_id = l.id)
    OR l.reclaimed_minor <> CASE
       WHEN l.state NOT IN ('fulfilled', 'revoked') THEN 0
       WHEN l.amount_minor > 0 THEN
           (2 * l.platform_discount_minor * (l.refunded_minor + l.disputed_minor) + l.amount_minor) / (2 * l.amount_minor)
       ELSE (2 * l.platform_discount_minor * l.revoked_quantity + l.quantity) / (2 * l.quantity) END)
 ORDER BY 1
"""

_WRONG_DISCOUNT_TOTALS = """
WITH expected AS (
    SELECT o.currency, sum(l.platform_discount_minor - l.reclaimed_minor) AS minor
      FROM payments_orderline l JOIN payments_order o ON o.id = l.order_id
     WHERE l.state IN ('fulfilled', 'revoked') GROUP BY o.currency
), booked AS (
    SELECT a.currency, sum(p.amount_minor) AS minor
      FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
      JOIN ledger_journal j ON j.id = p.journal_id
     WHERE a.kind = 'platform_discounts' AND j.subject LIKE 'order:%'
     GROUP BY a.currency
)
SELECT l.id FROM payments_orderline l JOIN payments_order o ON o.id = l.order_id
 WHERE l.platform_discount_minor > 0 AND o.currency IN (
    SELECT currency FROM expected FULL JOIN booked USING (currency)
     WHERE COALESCE(expected.minor, 0) <> COALESCE(booked.minor, 0))
 ORDER BY l.id
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
           sum(l.teacher_share_minor - l.refunded_share_minor - l.disputed_share_minor
               + l.platform_discount_share_minor - l.reclaimed_share_minor) AS minor
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


class DiscountsOfThePlatformFollowTheirLines:
    name = "payments.discounts_of_the_platform_follow_their_lines"
    promise = (
        "The platform has taken back of its discount on a line the part that refunds and disputes took of the price, or "
        "that was revoked of a line that cost nothing; each change is recorded. The ids are of lines."
    )

    def breaking(self) -> list[int]:
        return _ids(_WRONG_DISCOUNTS)


class DiscountsOfThePlatformAreBooked:
    name = "payments.discounts_of_the_platform_are_booked"
    promise = "In each currency the ledger has what the platform's discounts cost. The ids are of lines."

    def breaking(self) -> list[int]:
        return _ids(_WRONG_DISCOUNT_TOTALS)


INVARIANTS: tuple[Invariant, ...] = (
    SalesAreBooked(),
    RefundsAreBooked(),
    PendingIsWhatHasNotMatured(),
    DiscountsOfThePlatformFollowTheirLines(),
    DiscountsOfThePlatformAreBooked(),
)


def _ids(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
