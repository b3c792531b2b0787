"""Book what Stripe reports with its balance transactions: fees, and conversions into the currency of our account.

Fees are always the platform's. Each function may be called again; a repeat changes nothing. They raise
ledger.journals.JournalDiffers if Stripe reports another amount than before.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from ledger.entries import Entry, JournalKind
from ledger.journals import record_journal
from payments.earnings.books import subject_of
from payments.earnings.entries import entries_of_conversion, entries_of_converted_refund, entries_of_stripe_fee
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


def book_costs_of_refund(refund: Refund, reported: BalanceTransaction) -> None:
    """Book the fee of a refund, where Stripe charges one, and the conversion if another currency was debited."""
    order, source = refund.payment.order, f"refund:{refund.idempotency_key}"
    _book_fee(source, order, reported)
    if reported.amount.currency != refund.currency:
        converted = entries_of_converted_refund(refund.amount, reported.amount * -1)
        _book_conversion(source, order, reported, converted)


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
