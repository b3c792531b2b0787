"""Book what Stripe reports with its balance transactions: fees, and conversions into the currency of our account.

Fees are always the platform's. Each function may be called again; a repeat changes nothing. They raise
ledger.journals.JournalDiffers if Stripe reports another amount than before.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from ledger.entries import Entry, JournalKind
from ledger.journals import record_journal
from payments.earnings.entries import (
    entries_of_conversion,
    entries_of_converted_refund,
    entries_of_round_trip,
    entries_of_stripe_fee,
)
from payments.earnings.platform_discounts import subject_of
from payments.models import Order, Payment, Refund
from payments.stripe_objects import BalanceTransaction


def book_costs_of_charge(payment: Payment, reported: BalanceTransaction) -> None:
    """Store and book the fee of a payment, and the conversion if it was credited in another currency."""
    with transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(
            stripe_balance_transaction_id=reported.id,
            stripe_fee_minor=reported.fee.minor,
            stripe_fee_currency=reported.fee.currency,
        )
        source = f"payment:{payment.reference}"
        _book_fee(source, payment.order, reported)
        if reported.amount.currency != payment.currency:
            _book_conversion(source, payment.order, reported, entries_of_conversion(payment.amount, reported.amount))


def book_costs_of_refund(
    refund: Refund, *, given: BalanceTransaction | None, returned: BalanceTransaction | None
) -> None:
    """Book the fees of a refund, where Stripe charges any, and conversions if its currency is not the account's.

    `given` took the money from the balance; `returned` brought it back when the refund failed, at the rate of that day.
    Each is None as long as Stripe does not report it. Call once the refund itself is booked as far as it is known.
    """
    if refund.succeeded_at is not None:
        if given:
            _book_giving(refund, given)
        if returned and not refund.is_live:
            _book_return(refund, returned)
    elif given and returned and not refund.is_live:
        _book_round_trip(refund, given, returned)


def _book_giving(refund: Refund, given: BalanceTransaction) -> None:
    order, source = refund.payment.order, f"refund:{refund.idempotency_key}"
    _book_fee(source, order, given)
    if given.amount.currency != refund.currency:
        _book_conversion(source, order, given, entries_of_converted_refund(refund.amount, given.amount * -1))


def _book_return(refund: Refund, returned: BalanceTransaction) -> None:
    order, source = refund.payment.order, f"refund:{refund.idempotency_key}:failed"
    _book_fee(source, order, returned)
    if returned.amount.currency != refund.currency:
        _book_conversion(source, order, returned, entries_of_conversion(refund.amount, returned.amount))


def _book_round_trip(refund: Refund, given: BalanceTransaction, returned: BalanceTransaction) -> None:
    """The refund failed while it was pending, so the books never had it; Stripe's balance had."""
    order, source = refund.payment.order, f"refund:{refund.idempotency_key}"
    _book_fee(source, order, given)
    _book_fee(f"{source}:failed", order, returned)
    if given.amount.currency != refund.currency:
        _book_conversion(f"{source}:failed", order, returned, entries_of_round_trip(given.amount, returned.amount))


def _book_fee(source: str, order: Order, reported: BalanceTransaction) -> None:
    record_journal(
        source=f"{source}:fee",
        kind=JournalKind.STRIPE_FEE,
        subject=subject_of(order),
        description=reported.fee_parts[:200],
        entries=entries_of_stripe_fee(reported.fee),
        effective_at=reported.created_at,
    )


def _book_conversion(source: str, order: Order, reported: BalanceTransaction, entries: Sequence[Entry]) -> None:
    record_journal(
        source=f"{source}:converted",
        kind=JournalKind.CONVERSION,
        subject=subject_of(order),
        entries=entries,
        effective_at=reported.created_at,
    )
