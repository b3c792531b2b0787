"""Book what was sold before the ledger existed, or restored without it. Uses only what the orders themselves record."""

from __future__ import annotations

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Concat

from ledger.models import Journal
from payments.earnings.books import (
    book_refund_end,
    book_refund_success,
    book_sale,
    book_second_payment,
    hold_allocation,
)
from payments.models import Order, Payment, Refund
from payments.models.order import lines_in_lock_order


def book_earlier_sales() -> int:
    """Book each paid order that has no journal, with its refunds; returns how many. A repeat finds none."""
    journal = Journal.objects.filter(source=OuterRef("source"))
    source = Concat(Value("order:"), "number", Value(":settled"), output_field=CharField())
    unbooked = (
        Order.objects.filter(state=Order.State.COMPLETED, total_minor__gt=0)
        .annotate(source=source)
        .exclude(Exists(journal))
        .order_by("paid_at", "pk")
    )
    return sum(book_earlier_sale(order_id) for order_id in unbooked.values_list("pk", flat=True).iterator())


def book_earlier_sale(order_id: int) -> bool:
    """Book one paid order and its refunds as far as they have come; False if it is booked already."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        if not order.is_paid or Journal.objects.filter(source=f"order:{order.number}:settled").exists():
            return False
        lines = lines_in_lock_order(order)
        book_sale(
            order,
            delivered=[line for line in lines if line.was_delivered],
            undeliverable=[line for line in lines if not line.was_delivered],
            happened_at=order.paid_at,
        )
        for payment in order.payments.all():
            payment.order = order
            _book_refunds(payment)
    return True


def _book_refunds(payment: Payment) -> None:
    refunds = list(payment.refunds.order_by("pk"))
    if any(refund.reason == Refund.Reason.SECOND_PAYMENT for refund in refunds):
        book_second_payment(payment)
    for refund in refunds:
        refund.payment = payment
        if refund.is_live or refund.succeeded_at:
            for allocation in refund.allocations.select_related("line__order", "refund"):
                hold_allocation(refund, allocation)
        if refund.succeeded_at:
            book_refund_success(refund)
            if not refund.is_live:
                book_refund_end(refund, had_succeeded=True)
