"""The invariants between what periods gave, what became of it, and what the ledger says."""

from __future__ import annotations

from django.db import connection

from jobs.invariants import Invariant

# What is open of a period's parts is what the ledger has not given to anyone yet, period by period.
_WRONG_UNEARNED = """
WITH open AS (
    SELECT period_id, sum(value_minor) AS minor FROM subscriptions_lessoncredit
     WHERE state IN ('unused', 'taken') GROUP BY period_id
    UNION ALL
    SELECT period_id, sum(amount_minor) FROM subscriptions_accessslice WHERE state = 'open' GROUP BY period_id
), expected AS (
    SELECT period.stripe_invoice_id AS invoice, period.currency, sum(open.minor) AS minor
      FROM open JOIN subscriptions_subscriptionperiod period ON period.id = open.period_id
     GROUP BY period.stripe_invoice_id, period.currency
), booked AS (
    SELECT substr(journal.subject, 14) AS invoice, account.currency, -sum(posting.amount_minor) AS minor
      FROM ledger_posting posting JOIN ledger_account account ON account.id = posting.account_id
      JOIN ledger_journal journal ON journal.id = posting.journal_id
     WHERE account.kind = 'subscriptions_unearned' GROUP BY 1, 2
), differing AS (
    SELECT invoice FROM expected FULL JOIN booked USING (invoice, currency)
     WHERE COALESCE(expected.minor, 0) <> COALESCE(booked.minor, 0)
)
SELECT DISTINCT COALESCE(period.id, 0)
  FROM differing LEFT JOIN subscriptions_subscriptionperiod period ON period.stripe_invoice_id = differing.invoice
 ORDER BY 1
"""

_WRONG_CREDITS = """
SELECT period.id FROM subscriptions_subscriptionperiod period
  LEFT JOIN (SELECT period_id, count(*) AS number, min(number) AS first, max(number) AS last
               FROM subscriptions_lessoncredit GROUP BY period_id) AS given ON given.period_id = period.id
 WHERE COALESCE(given.number, 0) <> CASE WHEN period.opened_at IS NULL THEN 0 ELSE period.credits END
    OR given.number > 0 AND (given.first, given.last) <> (1, given.number)
 ORDER BY period.id
"""

_WRONG_DIVISIONS = """
SELECT period.id FROM subscriptions_subscriptionperiod period
  LEFT JOIN payments_orderline line ON line.id = period.line_id
  LEFT JOIN (SELECT period_id, sum(value_minor) AS minor FROM subscriptions_lessoncredit GROUP BY period_id) AS credits
    ON credits.period_id = period.id
  LEFT JOIN (SELECT period_id, sum(amount_minor) AS minor FROM subscriptions_accessslice GROUP BY period_id) AS slices
    ON slices.period_id = period.id
 WHERE period.opened_at IS NOT NULL
   AND COALESCE(credits.minor, 0) + COALESCE(slices.minor, 0) <> COALESCE(line.platform_fee_minor, 0)
 ORDER BY period.id
"""

_WRONG_SHARES = """
SELECT slice.id FROM subscriptions_accessslice slice
  LEFT JOIN (SELECT slice_id, sum(fee_minor + share_minor) AS minor FROM subscriptions_accessshare GROUP BY slice_id)
    AS shared ON shared.slice_id = slice.id
 WHERE CASE slice.state WHEN 'shared' THEN COALESCE(shared.minor, 0) > slice.amount_minor
                        ELSE shared.minor IS NOT NULL END
 ORDER BY slice.id
"""

_OPEN_AFTER_A_REFUND = """
SELECT period.id FROM subscriptions_subscriptionperiod period
 WHERE period.revoked_at IS NOT NULL
   AND (EXISTS (SELECT FROM subscriptions_accessslice WHERE period_id = period.id AND state = 'open')
        OR EXISTS (SELECT FROM subscriptions_lessoncredit WHERE period_id = period.id AND state = 'unused'))
 ORDER BY period.id
"""


class _FoundByQuery:
    """An invariant whose query selects the ids that break it."""

    query: str

    def breaking(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(self.query)
            return [row[0] for row in cursor.fetchall()]


class UnearnedIsWhatIsOpen(_FoundByQuery):
    name = "subscriptions.unearned_is_what_is_open"
    promise = (
        "What the ledger holds unearned of each period is the value of its credits that have not ended, and its slices of "
        "access that are not shared. 0 stands for an invoice without a period."
    )
    query = _WRONG_UNEARNED


class CreditsAreAllAccountedFor(_FoundByQuery):
    name = "subscriptions.credits_are_all_accounted_for"
    promise = "Each opened period has exactly the credits it grants: unused, taken, earned, lapsed or taken back."
    query = _WRONG_CREDITS


class PeriodsAreDividedInFull(_FoundByQuery):
    name = "subscriptions.periods_are_divided_in_full"
    promise = "The credits and slices of a period are together worth what was paid for it."
    query = _WRONG_DIVISIONS


class SlicesAreSharedWithinTheirAmount(_FoundByQuery):
    name = "subscriptions.slices_are_shared_within_their_amount"
    promise = (
        "The shares of a slice are never more than its amount, and only a shared slice has any. The ids are of slices."
    )
    query = _WRONG_SHARES


class RefundedPeriodsGiveNothing(_FoundByQuery):
    name = "subscriptions.refunded_periods_give_nothing"
    promise = "A period whose price went back has no unused credit and no access left to share."
    query = _OPEN_AFTER_A_REFUND


INVARIANTS: tuple[Invariant, ...] = (
    UnearnedIsWhatIsOpen(),
    CreditsAreAllAccountedFor(),
    PeriodsAreDividedInFull(),
    SlicesAreSharedWithinTheirAmount(),
    RefundedPeriodsGiveNothing(),
)
