"""Derive the journals of disputes: what Stripe moved, and what each change of the claim held, released or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from ledger.entries import AccountKind, JournalKind
from money import Money
from payments.disputes.books import KINDS_OF_CHANGE, entries_of_change, subject_of
from payments.disputes.entries import entries_of_movement
from payments.disputes.taken import Taken
from payments.models import Dispute, DisputeMovement, DisputeStep, OrderLine
from payments.rebuilding.drafts import Draft


def drafts_of_dispute(
    dispute: Dispute,
    *,
    movements: Sequence[DisputeMovement],
    steps: Sequence[DisputeStep],
    lines: Mapping[int, OrderLine],
    account_at: Callable[[OrderLine, datetime], AccountKind],
) -> Iterator[Draft]:
    """All journals of a dispute that can be derived; movements in the order in which they were recorded."""
    counts = {"withdrawn": 0, "reinstated": 0}
    for movement in movements:
        what = "withdrawn" if movement.is_withdrawal else "reinstated"
        counts[what] += 1
        yield _movement(dispute, movement, what, counts[what])
    taken = {0: Taken()} | {step.number: Taken.from_json(step.taken) for step in steps}
    for step in steps:
        if step.number - 1 in taken:
            change = taken[step.number - 1], taken[step.number]
            yield from _change(dispute, step, change, lines, account_at)


def _movement(dispute: Dispute, movement: DisputeMovement, what: str, count: int) -> Draft:
    is_withdrawal = what == "withdrawn"
    return Draft(
        source=f"{subject_of(dispute)}:{what}" + (f":{count}" if count > 1 else ""),
        kind=JournalKind.DISPUTE_WITHDRAWN if is_withdrawal else JournalKind.DISPUTE_REINSTATED,
        subject=subject_of(dispute),
        entries=entries_of_movement(
            amount=movement.amount, fee=movement.fee, claim=Money(movement.claim_minor, dispute.payment.currency)
        ),
        effective_at=movement.happened_at,
    )


def _change(
    dispute: Dispute,
    step: DisputeStep,
    taken: tuple[Taken, Taken],
    lines: Mapping[int, OrderLine],
    account_at: Callable[[OrderLine, datetime], AccountKind],
) -> Iterator[Draft]:
    before, after = taken
    touched = {line_id: lines[line_id] for line_id in sorted({*before.of_lines, *after.of_lines})}
    changes = entries_of_change(dispute, before, after, touched, account_of=lambda line: account_at(line, step.at))
    for what, entries in changes.items():
        yield Draft(
            source=f"{subject_of(dispute)}:{what}:{step.number}",
            kind=KINDS_OF_CHANGE[what],
            subject=subject_of(dispute),
            entries=entries,
            effective_at=step.at,
        )
