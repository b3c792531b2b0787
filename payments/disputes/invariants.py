"""The invariants between disputes, what they take of payments and lines, and what the ledger says of them.

They hold at the end of every transaction, whatever was repeated, reordered or interrupted.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import F

from jobs.invariants import Invariant
from payments.disputes.claims import CLOSED
from payments.disputes.waiting_refunds import due_now, has_open_claims
from payments.models import RefundAfterDispute

_CLOSED = ", ".join(f"'{status}'" for status in sorted(CLOSED))

# What each dispute has moved and whether that is lost, as `payments.disputes.claims` has it.
_STANDING = f"""
WITH moved AS (
    SELECT dispute_id, sum(claim_minor) AS minor, bool_or(claim_minor < 0) AS has_returned
      FROM payments_disputemovement GROUP BY dispute_id
), standing AS (
    SELECT d.id, 'dispute:' || d.stripe_dispute_id AS subject, p.currency, d.claimed_minor,
           COALESCE(m.minor, 0) AS moved,
           d.status IN ({_CLOSED}) AND (d.status <> 'won' OR COALESCE(m.has_returned, false)) AS is_final
      FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id LEFT JOIN moved m ON m.dispute_id = d.id
)
"""  # noqa: S608  # our own text

_DIFFERENT_BOOKS = (
    _STANDING  # noqa: S608  # our own text
    + """
, part AS (
    SELECT s.id, s.subject, s.currency, s.is_final, l.teacher_id, a.amount_minor, a.fee_minor, a.share_minor,
           l.state IN ('fulfilled', 'revoked') AS was_delivered
      FROM standing s JOIN payments_disputeallocation a ON a.dispute_id = s.id JOIN payments_orderline l ON l.id = a.line_id
), expected AS (
    SELECT subject, 'funds_in_dispute' AS kind, 0 AS teacher, currency, moved AS minor FROM standing WHERE NOT is_final
    UNION ALL
    SELECT subject, 'teacher_held', teacher_id, currency, -share_minor FROM part WHERE was_delivered AND NOT is_final
    UNION ALL
    SELECT subject, 'teacher_taken', teacher_id, currency, share_minor FROM part WHERE was_delivered
    UNION ALL
    SELECT subject, 'platform_fees', 0, currency, fee_minor FROM part WHERE was_delivered AND is_final
    UNION ALL
    SELECT subject, 'tax_payable', 0, currency, amount_minor - fee_minor - share_minor
      FROM part WHERE was_delivered AND is_final
    UNION ALL
    SELECT subject, 'refunds_due', 0, currency, amount_minor FROM part WHERE NOT was_delivered AND is_final
    UNION ALL
    SELECT subject, 'refunds_due', 0, currency,
           claimed_minor - (SELECT COALESCE(sum(amount_minor), 0) FROM part WHERE part.id = standing.id)
      FROM standing WHERE is_final
    UNION ALL
    SELECT subject, 'platform_losses', 0, currency, moved - claimed_minor FROM standing WHERE is_final
    UNION ALL
    SELECT s.subject, 'dispute_fees', 0, m.currency, m.fee_minor
      FROM standing s JOIN payments_disputemovement m ON m.dispute_id = s.id
), booked AS (
    SELECT j.subject,
           CASE WHEN a.kind IN ('teacher_pending', 'teacher_available') THEN 'teacher_taken' ELSE a.kind END AS kind,
           COALESCE(a.teacher_id, 0) AS teacher, a.currency, p.amount_minor AS minor
      FROM standing s JOIN ledger_journal j ON j.subject = s.subject JOIN ledger_posting p ON p.journal_id = j.id
      JOIN ledger_account a ON a.id = p.account_id
     WHERE a.kind NOT IN ('stripe_clearing', 'conversion')
), difference AS (
    SELECT subject FROM (SELECT * FROM expected
                         UNION ALL SELECT subject, kind, teacher, currency, -minor FROM booked) AS both_sides
     GROUP BY subject, kind, teacher, currency HAVING sum(minor) <> 0
)
SELECT id FROM standing WHERE subject IN (SELECT subject FROM difference) ORDER BY id
"""
)

_DIFFERENT_FUNDS = (
    _STANDING  # noqa: S608  # our own text
    + """
, expected AS (SELECT currency, sum(moved) AS minor FROM standing WHERE NOT is_final GROUP BY currency),
booked AS (
    SELECT a.id, a.currency, sum(p.amount_minor) AS minor
      FROM ledger_account a JOIN ledger_posting p ON p.account_id = a.id
     WHERE a.kind = 'funds_in_dispute' GROUP BY a.id, a.currency
)
SELECT booked.id FROM booked LEFT JOIN expected USING (currency)
 WHERE booked.minor <> COALESCE(expected.minor, 0) ORDER BY booked.id
"""
)

_MISCOUNTED_LINES = """
SELECT l.id FROM payments_orderline l
  LEFT JOIN (SELECT line_id, sum(amount_minor) AS amount, sum(fee_minor) AS fee, sum(share_minor) AS share
               FROM payments_disputeallocation GROUP BY line_id) AS part ON part.line_id = l.id
 WHERE (l.disputed_minor, l.disputed_fee_minor, l.disputed_share_minor)
       <> (COALESCE(part.amount, 0), COALESCE(part.fee, 0), COALESCE(part.share, 0))
    OR l.refunded_minor + l.disputed_minor > l.amount_minor
    OR l.refunded_fee_minor + l.disputed_fee_minor > l.platform_fee_minor
    OR l.refunded_share_minor + l.disputed_share_minor > l.teacher_share_minor
    OR l.disputed_minor - l.disputed_fee_minor - l.disputed_share_minor
       > CASE WHEN l.platform_tax_minor > 0 THEN l.platform_tax_minor - l.refunded_tax_minor ELSE 0 END
 ORDER BY l.id
"""

_MISCOUNTED_PAYMENTS = """
SELECT p.id FROM payments_payment p
  LEFT JOIN (SELECT payment_id, sum(claimed_minor) AS claimed FROM payments_dispute GROUP BY payment_id) AS d
    ON d.payment_id = p.id
 WHERE p.disputed_minor <> COALESCE(d.claimed, 0) OR p.refunded_minor + p.disputed_minor > p.amount_minor
 ORDER BY p.id
"""


class _ByQuery:
    """An invariant whose violations one query finds."""

    query: str

    def breaking(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(self.query)
            return [row[0] for row in cursor.fetchall()]


class DisputesAreBooked(_ByQuery):
    name = "payments.disputes_are_booked"
    promise = (
        "What the ledger says of each dispute is what Stripe took, what is held from each teacher, and, once it is "
        "lost, what teacher and platform lost, with the tax that is not owed any more and Stripe's fees."
    )
    query = _DIFFERENT_BOOKS


class FundsInDisputeAreOpenDisputes(_ByQuery):
    name = "payments.funds_in_dispute_are_open_disputes"
    promise = "The funds in dispute are what Stripe took for disputes that are not decided. The ids are of accounts."
    query = _DIFFERENT_FUNDS


class LinesCountTheirDisputes(_ByQuery):
    name = "payments.lines_count_their_disputes"
    promise = "Each line counts exactly what disputes take of it, and refunds and disputes never exceed it together."
    query = _MISCOUNTED_LINES


class PaymentsCountTheirDisputes(_ByQuery):
    name = "payments.payments_count_their_disputes"
    promise = "Each payment counts exactly what disputes claim, and refunds and disputes never exceed it together."
    query = _MISCOUNTED_PAYMENTS


class RefundsAfterDisputesAreRequested:
    name = "payments.refunds_after_disputes_are_requested"
    promise = "What waits for a dispute is refunded once all disputes of its payment are decided, unless the bank gave it back."

    def breaking(self) -> list[int]:
        """Reads only what may be owed still, which is little."""
        left = F("line__amount_minor") - F("line__refunded_minor") - F("line__disputed_minor")
        waiting = RefundAfterDispute.objects.select_related("line__order").annotate(left=left).filter(left__gt=0)
        # The last request may have failed, which is an alert of its own; before the dispute is known, nothing is due.
        never = waiting.filter(refund=None, line__order__payments__disputes__closed_at__gte=F("created_at")).distinct()
        return [each.pk for each in never if due_now(each).minor and not _has_open_claims(each)]


def _has_open_claims(waiting: RefundAfterDispute) -> bool:
    payments = waiting.line.order.payments.filter(disputed_minor__gt=0)
    return any(has_open_claims(payment) for payment in payments)


INVARIANTS: tuple[Invariant, ...] = (
    DisputesAreBooked(),
    FundsInDisputeAreOpenDisputes(),
    LinesCountTheirDisputes(),
    PaymentsCountTheirDisputes(),
    RefundsAfterDisputesAreRequested(),
)
