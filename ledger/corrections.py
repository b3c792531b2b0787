"""Corrects the books by reversal: for a journal that should never have been written, such as one booked twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from django.db import transaction

from jobs.invariants import broken, installed_invariants
from ledger.entries import JournalKind
from ledger.journals import AlreadyReversed, recorded_amounts, reverse_journal
from ledger.locks import lock_teacher_accounts
from ledger.models import Journal

# Kinds of journals that no other record explains. All others follow from a sale, refund, dispute or payout.
_STAND_ALONE = frozenset([JournalKind.STRIPE_MOVEMENT, JournalKind.CORRECTION, JournalKind.REVERSAL])


class BelongsInTheBooks(Exception):
    """Without the journal, the books would contradict what is recorded elsewhere, or nothing shows that they do now."""


def correct_by_reversal(*, source: str, why: str, by: str, is_rehearsal: bool = False) -> str:
    """Reverse a journal; returns the source of the reversal, whose description says who reversed it and why.

    It is refused if it breaks an invariant that held before. Sales, refunds, disputes and payouts have a record beside
    their journals, so one of theirs is wrong only if its reversal mends an invariant. A rehearsal checks all of this and
    writes nothing. Raises JournalMissing, AlreadyReversed or BelongsInTheBooks.
    """
    reversal = f"reversal:{source}"
    with transaction.atomic():
        _lock_teachers_of(source)
        before = broken(installed_invariants())
        if not reverse_journal(source=reversal, of=source, description=f"{why} Reversed by {by}."):
            raise AlreadyReversed(f"{source} was reversed by {reversal}.")
        _refuse_if_it_belongs(source, before=before, after=broken(installed_invariants()))
        transaction.set_rollback(is_rehearsal)
    return reversal


def _refuse_if_it_belongs(source: str, *, before: Mapping[str, list[int]], after: Mapping[str, list[int]]) -> None:
    newly_broken = sorted(name for name in after if set(after[name]) - set(before.get(name, ())))
    if newly_broken:
        raise BelongsInTheBooks(f"Without it, these invariants would be broken: {', '.join(newly_broken)}.")
    is_explained = Journal.objects.get(source=source).kind not in _STAND_ALONE
    mends = any(set(before[name]) - set(after.get(name, ())) for name in before)
    if is_explained and not mends:
        raise BelongsInTheBooks(
            "It follows from a sale, refund, dispute or payout, and without it no invariant is mended."
        )


def _lock_teachers_of(source: str) -> None:
    """What it takes from a teacher's balance must not be requested as a payout at the same moment."""
    teachers: dict[str, set[int]] = defaultdict(set)
    for key in recorded_amounts(source):
        if key.teacher_id is not None:
            teachers[key.currency].add(key.teacher_id)
    for currency, ids in sorted(teachers.items()):
        lock_teacher_accounts(ids, currency)
