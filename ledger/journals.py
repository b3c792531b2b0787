"""Records journals: in the caller's transaction, once per source, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from ledger.entries import AccountKey, AccountKind, Entry, JournalKind, net_amounts
from ledger.models import Journal, Posting
from ledger.opening import columns_of, open_accounts
from money import Money

# The journal is written only if all its accounts are open. One that took effect in a closed period takes effect at the
# first open moment, since the money moved nevertheless; the description keeps the true moment.
_RECORD = """
WITH wanted AS (
    SELECT account.id, wanted.amount
      FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bigint[]) AS wanted (kind, teacher, currency, amount)
      JOIN ledger_account AS account
        ON account.kind = wanted.kind AND coalesce(account.teacher_id, 0) = wanted.teacher
       AND account.currency = wanted.currency
), happened AS (
    SELECT %s::timestamptz AS at, (SELECT max(closed_until) FROM ledger_periodclose) AS first_open
), journal AS (
    INSERT INTO ledger_journal (source, kind, subject, description, effective_at, reverses_id)
    SELECT %s, %s, %s,
           left(%s || CASE WHEN at < first_open
                      THEN to_char(at AT TIME ZONE 'UTC', ' "[happened on" FMDD FMMonth YYYY, HH24:MI "UTC]"')
                      ELSE '' END, 500),
           CASE WHEN at < first_open THEN first_open ELSE at END, %s
      FROM happened
     WHERE (SELECT count(*) FROM wanted) = %s
    ON CONFLICT (source) DO NOTHING
    RETURNING id
), posted AS (
    INSERT INTO ledger_posting (journal_id, account_id, amount_minor)
    SELECT journal.id, wanted.id, wanted.amount FROM journal CROSS JOIN wanted ORDER BY wanted.id
)
SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM journal)
"""


class JournalDiffers(Exception):
    """The source was recorded before, with other postings."""


class JournalMissing(LookupError):
    """No journal has this source."""


class AlreadyReversed(Exception):
    """The journal was reversed before, under another source."""


def record_journal(  # noqa: PLR0913  # what a journal consists of
    *,
    source: str,
    kind: JournalKind | str,
    entries: Sequence[Entry],
    subject: str = "",
    description: str = "",
    effective_at: datetime | None = None,
) -> bool:
    """Write a journal. False if nothing is written: `source` was recorded before, or all entries cancel out.

    Entries on one account are merged, and amounts of zero dropped. `effective_at` is the moment of the happening: now if
    it is None, or if a host's fast clock puts it ahead of the database's; the first open moment if that period is closed.
    Raises Unbalanced; AccountDoesNotFit; JournalDiffers if `source` was recorded with
    other postings.
    """
    net = net_amounts(entries)
    written = [effective_at, source, str(kind), subject, description]
    return bool(net) and _record(net, written, reverses=None)


def reverse_journal(  # noqa: PLR0913  # as for record_journal
    *,
    source: str,
    of: str,
    kind: JournalKind | str = JournalKind.REVERSAL,
    subject: str | None = None,
    description: str = "",
    effective_at: datetime | None = None,
) -> bool:
    """Write the opposite of the journal whose source is `of`, with its subject unless another is given.

    False if `source` was recorded before. A journal is reversed once at most: raises AlreadyReversed otherwise, and
    JournalMissing if there is none.
    """
    original = Journal.objects.filter(source=of).select_related("reversed_by").first()
    if original is None:
        raise JournalMissing(of)
    reversal = getattr(original, "reversed_by", None)
    if reversal is not None and reversal.source != source:
        raise AlreadyReversed(f"{of} was reversed by {reversal.source}.")
    opposite = {key: -minor for key, minor in recorded_amounts(of).items()}
    written = [effective_at, source, str(kind), original.subject if subject is None else subject, description]
    return _record(opposite, written, reverses=original.pk)


def recorded_amounts(source: str) -> dict[AccountKey, int]:
    """The postings of a journal by account, in minor units, debits positive; empty if there is no such journal."""
    postings = Posting.objects.filter(journal__source=source).values_list(
        "account__kind", "account__teacher_id", "account__currency", "amount_minor"
    )
    return {AccountKey(AccountKind(kind), teacher, currency): minor for kind, teacher, currency, minor in postings}


def _record(net: dict[AccountKey, int], written: list[Any], *, reverses: int | None) -> bool:
    parameters = [*columns_of(net), list(net.values()), *written, reverses, len(net)]
    found, recorded = _execute(parameters)
    if found < len(net):
        open_accounts(net)
        found, recorded = _execute(parameters)
    if not recorded:
        _refuse_difference(written[1], net)
    return bool(recorded)


def _execute(parameters: list[Any]) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, parameters)
        found, recorded = cursor.fetchone()
    return found, recorded


def _refuse_difference(source: str, net: dict[AccountKey, int]) -> None:
    recorded = recorded_amounts(source)
    if recorded != net:
        raise JournalDiffers(f"{source} is recorded as {_as_text(recorded)}, not as {_as_text(net)}.")


def _as_text(amounts: dict[AccountKey, int]) -> str:
    return ", ".join(
        f"{key.kind}{f' of teacher {key.teacher_id}' if key.teacher_id else ''} {Money(minor, key.currency)}"
        for key, minor in sorted(amounts.items(), key=str)
    )
