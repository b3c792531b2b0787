"""Record in the ledger what a dispute moves, holds, releases and takes, within the caller's transaction.

Money at Stripe follows Stripe's balance transactions, each booked once. What is held or lost follows the claim: each
change of it is a numbered step, and its journal is the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ledger.entries import AccountKind, Entry, JournalKind
from ledger.journals import record_journal
from ledger.locks import lock_teacher_accounts
from money import Money
from payments.disputes.entries import Part, entries_of_hold, entries_of_loss, entries_of_movement
from payments.disputes.taken import Taken, TakenOfLine
from payments.earnings.books import account_of_share, teachers_of
from payments.models import Dispute, DisputeMovement, DisputeStep, OrderLine, Payment


def subject_of(dispute: Dispute) -> str:
    """What pages link a journal about a dispute to."""
    return f"dispute:{dispute.stripe_dispute_id}"


def book_movement(dispute: Dispute, movement: DisputeMovement) -> None:
    """Book one balance transaction of a dispute, the second of its kind as `…:withdrawn:2`. A repeat changes nothing."""
    before = [
        each for each in dispute.movements.filter(pk__lt=movement.pk) if each.is_withdrawal == movement.is_withdrawal
    ]
    what = "withdrawn" if movement.is_withdrawal else "reinstated"
    record_journal(
        source=f"{subject_of(dispute)}:{what}" + (f":{len(before) + 1}" if before else ""),
        kind=JournalKind.DISPUTE_WITHDRAWN if movement.is_withdrawal else JournalKind.DISPUTE_REINSTATED,
        subject=subject_of(dispute),
        description=movement.stripe_balance_transaction_id,
        entries=entries_of_movement(
            amount=movement.amount,
            fee=movement.fee,
            claim=Money(movement.claim_minor, dispute.payment.currency),
        ),
        effective_at=movement.happened_at,
    )


def lock_accounts_of(payment: Payment) -> None:
    """Lock the accounts of all teachers of a payment's order. Call with the order locked, after all other locks.

    The only lock of accounts that a dispute takes, so it never waits for one account while it holds another that comes
    later in their order.
    """
    lock_teacher_accounts(teachers_of(OrderLine.objects.filter(order=payment.order_id)), payment.currency)


def book_change(dispute: Dispute, before: Taken, after: Taken) -> None:
    """Book the difference between what a dispute took and takes. Call with the teachers' accounts locked."""
    if before == after:
        return
    dispute.steps += 1
    dispute.save(update_fields=["steps"])
    DisputeStep.objects.create(dispute=dispute, number=dispute.steps, taken=after.as_json())
    lines = _lines_of(before, after)
    for what, entries in entries_of_change(dispute, before, after, lines, account_of=account_of_share).items():
        _record(dispute, what, entries)


def entries_of_change(
    dispute: Dispute,
    before: Taken,
    after: Taken,
    lines: Mapping[int, OrderLine],
    *,
    account_of: Callable[[OrderLine], AccountKind],
) -> dict[str, list[Entry]]:
    """The entries of a change, by what its journals are called: held or released, and lost. Some may be empty."""
    currency = dispute.payment.currency
    held = _differences(before.of_lines, after.of_lines, lines, currency)
    net = sum(part.share.minor for part in held)
    return {
        "released" if net < 0 else "held": entries_of_hold(
            [(part, account_of(line)) for part, line in zip(held, lines.values(), strict=True)]
        ),
        "lost": entries_of_loss(
            _differences(before.lost_of_lines, after.lost_of_lines, lines, currency),
            owed=Money(after.lost_of_none - before.lost_of_none, currency),
            excess=Money(after.lost_beyond - before.lost_beyond, currency),
        ),
    }


KINDS_OF_CHANGE = {
    "held": JournalKind.DISPUTE_HELD,
    "released": JournalKind.DISPUTE_RELEASED,
    "lost": JournalKind.DISPUTE_LOST,
}


def _record(dispute: Dispute, what: str, entries: list[Entry]) -> None:
    record_journal(
        source=f"{subject_of(dispute)}:{what}:{dispute.steps}",
        kind=KINDS_OF_CHANGE[what],
        subject=subject_of(dispute),
        entries=entries,
    )


def _lines_of(before: Taken, after: Taken) -> dict[int, OrderLine]:
    lines = OrderLine.objects.filter(pk__in={*before.of_lines, *after.of_lines}).select_related("order")
    return {line.pk: line for line in lines.order_by("pk")}


def _differences(
    before: Mapping[int, TakenOfLine],
    after: Mapping[int, TakenOfLine],
    lines: Mapping[int, OrderLine],
    currency: str,
) -> list[Part]:
    nothing = TakenOfLine()
    parts = []
    for line_id, line in lines.items():
        old, new = before.get(line_id, nothing), after.get(line_id, nothing)
        parts.append(
            Part(
                teacher_id=line.teacher_id,
                fee=Money(new.fee - old.fee, currency),
                share=Money(new.share - old.share, currency),
                tax=Money(new.tax - old.tax, currency),
                is_delivered=line.was_delivered,
            )
        )
    return parts
