"""Book what only Stripe's statement reports: the other side of each kind, as `stripe:<transaction>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from ledger.entries import AccountKind, Entry, JournalKind
from ledger.journals import record_journal
from money import Money, is_currency
from payments.models import Difference, StripeMovement
from payments.reconciliation.kinds import KINDS, DifferenceKind


class CannotBeBooked(Exception):
    """The kind has no account of its own, or the ledger cannot hold the currency."""


# Fees have a journal of their own, since the rest of the same transaction may be booked elsewhere.
_FEES: Final[Mapping[DifferenceKind, AccountKind]] = {
    DifferenceKind.MISSING_FEE: AccountKind.STRIPE_FEES,
    DifferenceKind.FURTHER_FEES: AccountKind.STRIPE_FEES,
    DifferenceKind.INSTANT_PAYOUT_FEE: AccountKind.PAYOUT_FEES,
}
OTHER_SIDE: Final[Mapping[DifferenceKind, AccountKind]] = {
    DifferenceKind.RESERVE: AccountKind.STRIPE_RESERVE,
    DifferenceKind.PREFUNDING: AccountKind.BANK,
    DifferenceKind.ADVANCE: AccountKind.STRIPE_ADVANCE,
    DifferenceKind.STRIPE_FEE: AccountKind.STRIPE_FEES,
    DifferenceKind.PLATFORM_PAYOUT: AccountKind.BANK,
    DifferenceKind.FAILED_PAYOUT: AccountKind.BANK,
}


def is_booked_from_statement(kind: DifferenceKind) -> bool:
    """Whether the statement alone says how a kind is booked."""
    return kind in _FEES or kind in OTHER_SIDE


def source_of_movement(kind: DifferenceKind, transaction_id: str) -> str:
    """The source of the journal that books a kind of a transaction."""
    return f"stripe:{transaction_id}:fee" if kind in _FEES else f"stripe:{transaction_id}"


def entries_of_movement(kind: DifferenceKind, amount: Money) -> list[Entry]:
    """What changed Stripe's balance by `amount`. Raises CannotBeBooked."""
    other_side = _FEES.get(kind) or OTHER_SIDE.get(kind)
    if other_side is None:
        raise CannotBeBooked(f"{KINDS[kind].title} is not booked from the statement.")
    return [Entry(AccountKind.STRIPE_CLEARING, amount), Entry(other_side, amount * -1)]


def book_movement(difference: Difference) -> None:
    """Book exactly the amount of a difference; a repeat changes nothing. Raises CannotBeBooked or JournalDiffers."""
    kind = DifferenceKind(difference.kind)
    movement = StripeMovement.objects.filter(stripe_id=difference.stripe_id).first()
    if movement is None:
        raise CannotBeBooked("The transaction is not on the statement.")
    if not is_currency(difference.currency):
        raise CannotBeBooked(f"The ledger has no accounts in {difference.currency}.")
    entries = entries_of_movement(kind, Money(difference.amount_minor, difference.currency))
    with transaction.atomic():
        record_journal(
            source=source_of_movement(kind, movement.stripe_id),
            kind=JournalKind.STRIPE_MOVEMENT,
            entries=entries,
            subject=f"stripe:{movement.stripe_id}",
            description=difference.sentence[:500],
            effective_at=movement.happened_at,
        )
