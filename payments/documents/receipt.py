"""Receipts as PDF: who sold what to whom, when and how it was paid, the tax in it, and what was refunded since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.conf import settings

from accounts.moments import write_day, write_moment
from accounts.time_zones import zone_of_user
from money import Money
from payments.documents.numbering import number_receipt
from payments.documents.paper import (
    Text,
    begin_page,
    draw_amount,
    draw_buyer,
    draw_column_titles,
    draw_item,
    draw_note_of_gaps,
    draw_row,
    draw_rule,
    draw_taxes,
)
from payments.models import Document, Order, OrderLine, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.pdf import Document as Pdf
from payments.pdf import render_pdf


def render_receipt_of(number: str) -> bytes:
    """The receipt of the order with this number, numbered now if it is not yet: what the mail about it attaches.

    Raises Order.DoesNotExist, and ValueError for an unpaid order.
    """
    order = Order.objects.select_related("user").get(number=number)
    number_receipt(order)
    return render_receipt(order)


def render_receipt(order: Order) -> bytes:
    """The receipt of a paid order; without its own number for the moments until it has one.

    Raises ValueError for an unpaid order.
    """
    return render_pdf(receipt_of(order))


def receipt_of(order: Order) -> Callable[[Pdf], None]:
    """A function that draws the receipt of a paid order. Raises ValueError for an unpaid one."""
    if order.paid_at is None:
        raise ValueError("only a paid order has a receipt")
    refunds = Refund.objects.filter(
        payment__order=order, payment__status=Payment.Status.SUCCEEDED, status=Refund.Status.SUCCEEDED
    )
    return partial(
        _draw_onto,
        order=order,
        heading=str(order.documents.filter(kind=Document.Kind.RECEIPT).first() or "Receipt"),
        payment=Payment.objects.filter(order=order, status=Payment.Status.SUCCEEDED).first(),
        lines=lines_in_lock_order(order),
        refunds=list(refunds.select_related("document").prefetch_related("allocations").order_by("succeeded_at", "pk")),
    )


def _draw_onto(  # noqa: PLR0913  # one argument for each thing drawn
    pdf: Pdf,
    *,
    order: Order,
    heading: str,
    payment: Payment | None,
    lines: Sequence[OrderLine],
    refunds: Sequence[Refund],
) -> None:
    begin_page(pdf, title=f"{heading} · order {order.number}")
    _draw_payment(pdf, order, heading, payment)
    draw_buyer(pdf, order, payment)
    draw_column_titles(pdf)
    for line in lines:
        draw_item(pdf, _texts_of(line), (str(line.quantity), str(line.unit_amount), str(line.price)))
    _draw_total(pdf, order)
    _draw_refunds(pdf, order, refunds)
    draw_note_of_gaps(pdf, order)


def _draw_payment(pdf: Pdf, order: Order, heading: str, payment: Payment | None) -> None:
    draw_row(pdf, heading, size=14, style="B")
    pdf.ln(1)
    draw_row(pdf, f"Order {order.number}", size=10)
    paid_on = write_moment(order.paid_at, zone_of_user(order.user)) if order.paid_at else ""
    draw_row(pdf, f"Paid on {paid_on}", size=10)
    if payment and payment.paid_with:
        draw_row(pdf, f"Paid with {payment.paid_with}", size=10)
    draw_row(pdf, f"Bought at {settings.SITE_NAME}, {settings.BASE_URL}", size=10)
    pdf.ln(4)


def _texts_of(line: OrderLine) -> list[Text]:
    texts = [Text(line.title, 11)]
    if line.description:
        texts.append(Text(line.description))
    if line.discount_minor:
        texts.append(Text(f"{line.list_amount} less a discount of {line.discount}"))
    if line.tax_debtor_name:
        texts.append(Text(line.tax_debtor_text))
    if line.state == OrderLine.State.UNDELIVERABLE:
        texts.append(Text("Could not be delivered; refunded."))
    return texts


def _draw_total(pdf: Pdf, order: Order) -> None:
    draw_rule(pdf)
    if order.discount_minor:
        draw_amount(pdf, "Before discounts", order.subtotal)
        draw_amount(pdf, "Discount", order.discount * -1)
        if order.code_names:
            draw_row(pdf, f"With {order.code_names}", size=9)
    taxes = order.taxes
    for total in taxes:
        if total.is_added:
            draw_amount(pdf, total.name, total.added)
    draw_amount(pdf, "Total", order.total, style="B")
    if order.tax_minor:
        draw_amount(pdf, f"of which {settings.TAX_LABEL}", order.tax)
    draw_taxes(pdf, taxes)


def _draw_refunds(pdf: Pdf, order: Order, refunds: Sequence[Refund]) -> None:
    """What came back to the student, and what they paid in the end."""
    if not refunds:
        return
    pdf.ln(2)
    left = order.total
    for refund in refunds:
        left -= refund.amount
        day = write_day(refund.succeeded_at, zone_of_user(order.user)) if refund.succeeded_at else ""
        note = f", {refund.document.number}" if hasattr(refund, "document") else ""
        draw_amount(pdf, f"Refunded on {day}{note}", refund.amount * -1)
    draw_amount(pdf, "Paid after refunds", left, style="B")
    # The tax of a refund is known once staff have allocated it to lines.
    if order.tax_minor and not any(refund.to_allocate.minor for refund in refunds):
        returned = sum(part.tax_minor for refund in refunds for part in refund.allocations.all())
        draw_amount(pdf, f"of which {settings.TAX_LABEL}", order.tax - Money(returned, order.currency))
