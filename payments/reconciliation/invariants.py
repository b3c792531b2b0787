"""What must hold between Stripe's statement and the ledger, as far as we have read the statement."""

from __future__ import annotations

from django.db import connection

from jobs.invariants import Invariant

# The latest complete comparison over all time, in each currency.
_UNEXPLAINED = """
SELECT total.id FROM payments_reconciliationtotal total
 WHERE total.run_id = (SELECT max(run.id) FROM payments_reconciliationrun run
                        WHERE run.step = 'finished' AND run.since IS NULL)
   AND (total.remainder_minor <> 0 OR total.unlisted_minor <> 0)
 ORDER BY total.id
"""

# What was booked from the statement: `stripe:<transaction>` is at most the transaction's amount less its fee, in its
# currency, and the transaction exists.
_WRONGLY_BOOKED = """
SELECT journal.id
  FROM ledger_journal journal
  JOIN ledger_posting posting ON posting.journal_id = journal.id
  JOIN ledger_account account ON account.id = posting.account_id AND account.kind = 'stripe_clearing'
  LEFT JOIN payments_stripemovement movement
    ON movement.stripe_id = split_part(journal.source, ':', 2) AND movement.currency = account.currency
 WHERE journal.kind = 'stripe_movement'
   AND (movement.id IS NULL
        OR posting.amount_minor NOT IN (movement.net_minor, movement.amount_minor)
           AND journal.source NOT LIKE '%%:fee')
 ORDER BY journal.id
"""


class TheStatementIsExplained:
    name = "payments.the_statement_is_explained"
    promise = "Stripe's statement is what the ledger has and the named differences; nothing remains unexplained."

    def breaking(self) -> list[int]:
        return _ids(_UNEXPLAINED)


class MovementsAreBookedAsTheyAre:
    name = "payments.movements_are_booked_as_they_are"
    promise = "What is booked from Stripe's statement has the amount and currency of its transaction."

    def breaking(self) -> list[int]:
        return _ids(_WRONGLY_BOOKED)


INVARIANTS: tuple[Invariant, ...] = (TheStatementIsExplained(), MovementsAreBookedAsTheyAre())


def _ids(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, [])
        return [row[0] for row in cursor.fetchall()]
