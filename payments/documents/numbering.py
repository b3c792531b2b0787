"""Gives receipts and credit notes their numbers.

Not in the transaction that settles an order: numbers without gaps are given out one at a time, and all buyers would wait
in one line. The mail that brings a document numbers it when it is sent, a moment later, and a periodic task finds those
without a mail. A number that is taken stays; a transaction that rolls back has taken none.
"""

from __future__ import annotations

import re
from datetime import UTC
from itertools import chain
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from payments.models import Document, Order, Refund

_AT_ONCE = 500
_NUMBER = re.compile(r"([RC])-(\d{4})-(\d{1,9})", re.ASCII | re.IGNORECASE)
_KINDS = {"R": Document.Kind.RECEIPT, "C": Document.Kind.CREDIT_NOTE}


def number_receipt(order: Order) -> Document:
    """The receipt of a paid order, numbered now if it is not yet. Raises ValueError for an unpaid order."""
    if order.paid_at is None:
        raise ValueError("only a paid order has a receipt")
    return _find_or_number(kind=Document.Kind.RECEIPT, order=order, refund=None)


def number_credit_note(refund: Refund) -> Document:
    """The credit note of a refund that succeeded, numbered now if it is not yet. Raises ValueError for any other."""
    if refund.succeeded_at is None or refund.reason in Refund.REASONS_WITHOUT_CREDIT_NOTE:
        raise ValueError("only a refund of an order that succeeded has a credit note")
    # A credit note refers to the number of its receipt.
    number_receipt(refund.payment.order)
    return _find_or_number(kind=Document.Kind.CREDIT_NOTE, order=refund.payment.order, refund=refund)


def number_missing_documents() -> int:
    """Number what has no number yet, in the order in which it happened. Returns how many."""
    orders = Order.objects.filter(paid_at__isnull=False).exclude(documents__kind=Document.Kind.RECEIPT)
    refunds = Refund.objects.filter(succeeded_at__isnull=False, document=None).exclude(
        reason__in=Refund.REASONS_WITHOUT_CREDIT_NOTE
    )
    numbered = chain(
        map(number_receipt, orders.order_by("paid_at", "pk")[:_AT_ONCE]),
        map(number_credit_note, refunds.select_related("payment__order").order_by("succeeded_at", "pk")[:_AT_ONCE]),
    )
    return sum(1 for _ in numbered)


def read_number(text: str) -> dict[str, Any] | None:
    """The columns of the document with this number, as `Document.number` writes it; None for any other text."""
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        return None
    return {"kind": _KINDS[found[1].upper()], "year": int(found[2]), "sequence": int(found[3])}


def _find_or_number(*, kind: Document.Kind, order: Order, refund: Refund | None) -> Document:
    of_this = Document.objects.filter(kind=kind, order=order, refund=refund)
    if found := of_this.first():
        return found
    try:
        with transaction.atomic():
            made = Document.objects.create(
                kind=kind, order=order, refund=refund, year=timezone.now().astimezone(UTC).year
            )
    except IntegrityError:  # another process has numbered it meanwhile
        return of_this.get()
    made.refresh_from_db(fields=["sequence", "issued_at"])
    return made
