"""The mails about payments. The mail about a delivery comes from the domain that delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from notifications.alerts import raise_alert
from notifications.attachments import RenderedAttachment
from notifications.outbox import queue_mail
from payments.models import Order, OrderLine, Payment
from payments.models.order import lines_in_lock_order

RECEIPT_RENDERER = "payments.receipt"


def queue_payment_confirmed(order: Order, lines: Sequence[OrderLine]) -> None:
    """Mail the student that the order is paid, with its lines and the receipt attached."""
    queue_mail(
        key=f"order:{order.number}:paid",
        to=order.user,
        template="payments/mail/payment_confirmed",
        context=_order_context(order, lines),
        attachments=[_receipt(order)],
    )


def queue_card_declined(payment: Payment, *, message: str) -> None:
    """Mail the student that their card was declined and the page is still open. One mail per payment, for all tries."""
    _queue_failure(payment, kind="declined", template="payment_failed", message=message)


def queue_debit_refused(payment: Payment, *, left_out: int) -> None:
    """Mail the student that the bank refused the debit, and that all but `left_out` lines are back in the cart."""
    _queue_failure(payment, kind="debit-refused", template="debit_refused", left_out=left_out)


def _queue_failure(payment: Payment, *, kind: str, template: str, **more: Any) -> None:
    order = payment.order
    lines = lines_in_lock_order(order)
    queue_mail(
        key=f"payment:{payment.pk}:{kind}",
        to=order.user,
        template=f"payments/mail/{template}",
        context={**_order_context(order, lines), "cart_path": reverse("payments:cart"), **more},
    )


def queue_cannot_deliver_mails(order: Order, lines: Sequence[OrderLine]) -> None:
    """Mail student and staff which paid lines cannot be delivered, and that they are refunded."""
    if not lines:
        return
    context = _order_context(order, lines)
    queue_mail(
        key=f"order:{order.number}:cannot-deliver",
        to=order.user,
        template="payments/mail/cannot_deliver",
        context=context,
    )
    raise_alert(
        key=f"cannot-deliver:{order.number}",
        title=f"Order {order.number}: paid but impossible to deliver, refunded automatically",
        detail={"order": order.number, "lines": context["lines"]},
    )


def queue_paid_twice_mails(order: Order, payment: Payment) -> None:
    """Mail student and staff that a paid order was paid a second time, and that this payment is refunded."""
    queue_mail(
        key=f"payment:{payment.pk}:given-back",
        to=order.user,
        template="payments/mail/paid_twice",
        context={
            "order_number": order.number,
            "order_path": order.get_absolute_url(),
            "amount": str(payment.amount),
        },
    )
    raise_alert(
        key=f"paid-twice:{payment.pk}",
        title=f"Order {order.number} was paid twice; the second payment is refunded automatically",
        detail={"order": order.number, "payment": str(payment.reference)},
    )


def _receipt(order: Order) -> RenderedAttachment:
    return RenderedAttachment(
        name=order.receipt_name, mime="application/pdf", renderer=RECEIPT_RENDERER, reference=order.number
    )


def _order_context(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """Plain values only: a queued mail must not change when the order does."""
    return {
        "order_number": order.number,
        "order_path": order.get_absolute_url(),
        "total": str(order.total),
        "lines": [
            {
                "title": line.counted_title,
                "description": line.description,
                "amount": str(line.amount),
                "reason": line.state_reason,
            }
            for line in lines
        ],
    }
