"""Derive the journals that follow from Stripe's statement: fees, conversions, and what only Stripe moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.entries import Entry, JournalKind
from money import Money, is_currency
from payments.earnings import entries
from payments.models import Payment, Refund
from payments.rebuilding.drafts import Draft
from payments.reconciliation.groups import Group
from payments.reconciliation.movement_booking import entries_of_movement, is_booked_from_statement, source_of_movement
from payments.reconciliation.movements import name_movements
from payments.reconciliation.statement import Movement


def drafts_of_charge(payment: Payment, movements: Sequence[Movement]) -> Iterator[Draft]:
    """Fee and conversion of a payment, from its transactions in the order in which they happened."""
    income = next((movement for movement in movements if movement.amount_minor >= 0), None)
    if income is None:
        return
    source, subject = f"payment:{payment.reference}", f"order:{payment.order.number}"
    yield _fee(source, subject, income)
    if income.currency != payment.currency:
        converted = entries.entries_of_conversion(payment.amount, Money(income.amount_minor, income.currency))
        yield _draft(f"{source}:converted", JournalKind.CONVERSION, subject, converted, income)


def drafts_of_refund(refund: Refund, movements: Sequence[Movement]) -> Iterator[Draft]:
    """Fees and conversions of a refund: when Stripe took the money, and when it gave it back because the refund failed."""
    given = next((movement for movement in movements if movement.amount_minor < 0), None)
    returned = next((movement for movement in movements if movement.amount_minor >= 0), None)
    if refund.is_live:
        returned = None
    if refund.succeeded_at is None:
        if given and returned:
            yield from _round_trip(refund, given, returned)
        return
    if given:
        debited = Money(-given.amount_minor, given.currency)
        yield from _costs(refund, "", given, entries.entries_of_converted_refund(refund.amount, debited))
    if returned:
        yield from _costs(refund, ":failed", returned, entries.entries_of_conversion(refund.amount, _amount(returned)))


def _costs(refund: Refund, step: str, movement: Movement, converted: Sequence[Entry]) -> Iterator[Draft]:
    source, subject = f"refund:{refund.idempotency_key}{step}", f"order:{refund.payment.order.number}"
    yield _fee(source, subject, movement)
    if movement.currency != refund.currency:
        yield _draft(f"{source}:converted", JournalKind.CONVERSION, subject, converted, movement)


def _round_trip(refund: Refund, given: Movement, returned: Movement) -> Iterator[Draft]:
    """A refund that failed while it was pending: only the fees, and the difference in rates, are in the books."""
    source, subject = f"refund:{refund.idempotency_key}", f"order:{refund.payment.order.number}"
    yield _fee(source, subject, given)
    yield _fee(f"{source}:failed", subject, returned)
    if given.currency != refund.currency:
        spread = entries.entries_of_round_trip(_amount(given), _amount(returned))
        yield _draft(f"{source}:failed:converted", JournalKind.CONVERSION, subject, spread, returned)


def drafts_of_own_movement(movement: Movement) -> Iterator[Draft]:
    """What is booked from the statement alone, such as a payout to the bank."""
    for finding in name_movements(Group(key=movement.key, movements=(movement,))):
        if is_booked_from_statement(finding.kind) and is_currency(finding.currency):
            yield _draft(
                source_of_movement(finding.kind, movement.id),
                JournalKind.STRIPE_MOVEMENT,
                f"stripe:{movement.id}",
                entries_of_movement(finding.kind, Money(finding.amount_minor, finding.currency)),
                movement,
            )


def _amount(movement: Movement) -> Money:
    return Money(movement.amount_minor, movement.currency)


def _fee(source: str, subject: str, movement: Movement) -> Draft:
    fee = Money(movement.fee_minor, movement.currency)
    return _draft(f"{source}:fee", JournalKind.STRIPE_FEE, subject, entries.entries_of_stripe_fee(fee), movement)


def _draft(source: str, kind: JournalKind, subject: str, of: Sequence[Entry], movement: Movement) -> Draft:
    return Draft(source=source, kind=kind, subject=subject, entries=of, effective_at=movement.created_at)
