"""Copy from the ledger what cannot be derived of disputes that were recorded before their steps were kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ledger.entries import AccountKind, Entry, JournalKind
from ledger.models import Journal, Posting
from money import Money
from payments.disputes.books import KINDS_OF_CHANGE, subject_of
from payments.models import Dispute, DisputeStep
from payments.rebuilding.drafts import Draft


def copies_of_unkept_steps(disputes: Sequence[Dispute], steps: Mapping[int, Sequence[DisputeStep]]) -> Iterator[Draft]:
    """The journals of the steps that were not kept, and of each first one after them, a difference to an unknown step."""
    sources = [
        f"{subject_of(dispute)}:{what}:{number}"
        for dispute in disputes
        for number in _underivable(dispute, steps.get(dispute.pk, ()))
        for what in KINDS_OF_CHANGE
    ]
    postings: dict[Journal, list[Posting]] = defaultdict(list)
    for posting in Posting.objects.filter(journal__source__in=sources).select_related("journal", "account"):
        postings[posting.journal].append(posting)
    for journal, of_journal in postings.items():
        yield Draft(
            source=journal.source,
            kind=JournalKind(journal.kind),
            subject=journal.subject,
            entries=[_entry(posting) for posting in of_journal],
            effective_at=journal.effective_at,
            is_copied=True,
        )


def _underivable(dispute: Dispute, steps: Sequence[DisputeStep]) -> list[int]:
    kept = {0} | {step.number for step in steps}
    return [number for number in range(1, dispute.steps + 1) if not {number - 1, number} <= kept]


def _entry(posting: Posting) -> Entry:
    account = posting.account
    return Entry(AccountKind(account.kind), Money(posting.amount_minor, account.currency), account.teacher_id)
