"""The mails about payments. The mail about a delivery comes from the domain that delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from accounts.models import Teacher
from money import Money
from notifications.alerts import raise_alert
from notifications.attachments import RenderedAttachment
from notifications.outbox import queue_mail
from payments.contracts import purchase_mail_key
from payments.models import Order, OrderLine, Payment, Refund, RefundAllocation, SaleCancellation
from payments.models.order import lines_in_lock_order
from payments.registry import revoked_words

RECEIPT_RENDERER = "payments.receipt"
CREDIT_NOTE_RENDERER = "payments.credit_note"


def queue_payment_confirmed(order: Order, lines: Sequence[OrderLine]) -> None:
    """Mail the student that the order is paid, with its lines, what the domains delivered, and the receipt attached."""
    queue_mail(
        key=purchase_mail_key(order.number),
        to=order.user,
        template="payments/mail/payment_confirmed",
        context=_order_context(order, lines),
        attachments=[_receipt(order)],
    )


def queue_card_declined(payment: Payment) -> None:
    """Mail the student that their card was declined, after they left without paying. One mail for all their tries."""
    path = payment.order.cart and payment.order.cart.path
    _queue_failure(
        payment,
        kind="declined",
        template="payment_failed",
        message=payment.failure_message,
        is_alone=bool(path),
        cart_path=path or reverse("payments:cart"),
    )


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
    """Mail student and staff which lines of a paid order cannot be delivered, and that what they cost is refunded."""
    if not lines:
        return
    is_refunded = any(line.amount_minor for line in lines)
    context = {**_order_context(order, lines), "is_refunded": is_refunded}
    queue_mail(
        key=f"order:{order.number}:cannot-deliver",
        to=order.user,
        template="payments/mail/cannot_deliver",
        context=context,
    )
    raise_alert(
        key=f"cannot-deliver:{order.number}",
        title=f"Order {order.number}: paid but impossible to deliver{', refunded automatically' if is_refunded else ''}",
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


def queue_refund_pending(refund: Refund) -> None:
    """Mail the student that a refund is on its way, or that Stripe needs something from them. Once per status."""
    _mail_student_refund(refund, kind=refund.status, template="refund_pending")


def queue_refund_succeeded(refund: Refund) -> None:
    """Mail the student that Stripe has confirmed the refund, with its credit note attached."""
    attachments = [] if refund.reason in Refund.REASONS_WITHOUT_CREDIT_NOTE else [_credit_note(refund)]
    _mail_student_refund(refund, kind="succeeded", template="refund_succeeded", attachments=attachments)


def queue_refund_failed(refund: Refund) -> None:
    """Mail the student that the refund did not reach them; and the teachers, if they had been told that it did."""
    _mail_student_refund(refund, kind="failed", template="refund_failed")
    if refund.succeeded_at:
        _mail_teachers(refund, kind="failed", template="refund_failed_teacher")


def queue_teachers_refunded(refund: Refund) -> None:
    """Mail each teacher what was refunded of their lines, and how much of their share they give back."""
    _mail_teachers(refund, kind="succeeded", template="refund_teacher")


def _mail_student_refund(
    refund: Refund, *, kind: str, template: str, attachments: Sequence[RenderedAttachment] = ()
) -> None:
    order = refund.payment.order
    queue_mail(
        key=f"refund:{refund.pk}:{kind}",
        to=order.user,
        template=f"payments/mail/{template}",
        context={
            "order_number": order.number,
            "order_path": order.get_absolute_url(),
            "amount": str(refund.amount),
            "pending_reason": refund.pending_reason,
            "needs_student": refund.status == Refund.Status.REQUIRES_ACTION,
            "is_second_payment": refund.reason == Refund.Reason.SECOND_PAYMENT,
            "lines": [_refunded_line(part) for part in _parts_of(refund)],
            "has_credit_note": bool(attachments),
        },
        attachments=attachments,
    )


def _mail_teachers(refund: Refund, *, kind: str, template: str) -> None:
    """One mail per teacher, who hears nothing of lines that were never delivered: they have earned nothing with them."""
    order = refund.payment.order
    parts_of: dict[Teacher, list[RefundAllocation]] = {}
    for part in _parts_of(refund):
        if part.line.teacher and part.line.state != OrderLine.State.UNDELIVERABLE:
            parts_of.setdefault(part.line.teacher, []).append(part)
    for teacher, parts in parts_of.items():
        share = sum((part.share for part in parts), Money.zero(refund.currency))
        queue_mail(
            key=f"refund:{refund.pk}:{kind}:teacher:{teacher.pk}",
            to=teacher.user,
            template=f"payments/mail/{template}",
            context={
                "order_number": order.number,
                "sales_path": reverse("payments:sales"),
                "share": str(share),
                "lines": [_refunded_line(part) for part in parts],
            },
        )


def _parts_of(refund: Refund) -> list[RefundAllocation]:
    parts = list(refund.allocations.select_related("line__teacher__user").order_by("line__domain", "line__reference"))
    for part in parts:
        part.refund = refund
    return parts


def _refunded_line(part: RefundAllocation) -> dict[str, Any]:
    line = part.line
    returned = revoked_words(line.domain, part.quantity) if part.quantity else ""
    return {
        "title": line.counted_title,
        "description": line.description,
        "amount": str(part.amount),
        "share": str(part.share),
        "returned": "" if line.state == OrderLine.State.UNDELIVERABLE else returned,
    }


def queue_cancelled_by_student(line: OrderLine, *, places: Sequence[str], amount: Money, kept: Money) -> None:
    """Confirm to the student what they cancelled, for whom the places were, what comes back and what does not."""
    named = [place for place in places if place]
    _queue_cancellation(line, template="line_cancelled", amount=amount, places=named, kept=_text_of(kept))


def queue_cancelled_by_teacher(line: OrderLine, *, reason: str, amount: Money, waiting: Money) -> None:
    """Mail the student that their teacher cancelled what they bought, why, and what comes back.

    `waiting` is disputed, and comes back from us or from their bank once that has decided.
    """
    _queue_cancellation(
        line, template="line_cancelled_by_teacher", amount=amount, reason=reason, waiting=_text_of(waiting)
    )


def queue_refunded_after_dispute(line: OrderLine, refund: Refund) -> None:
    """Mail the student that what their dispute had held up is refunded now."""
    order = line.order
    queue_mail(
        key=f"refund:{refund.pk}:after-dispute:{line.pk}",
        to=order.user,
        template="payments/mail/refund_after_dispute",
        context={
            "order_number": order.number,
            "order_path": order.get_absolute_url(),
            "title": line.counted_title,
            "description": line.description,
            "amount": str(refund.amount),
        },
    )


def queue_sale_cancelled(cancellation: SaleCancellation, *, total: int, refunded: int, failed: int) -> None:
    """Mail the teacher that everything sold of an item is cancelled: how many orders, and how many with a refund.

    `failed` could not be cancelled or refunded.
    """
    teacher = cancellation.teacher
    queue_mail(
        key=f"sale-cancellation:{cancellation.pk}:finished",
        to=teacher.user,
        template="payments/mail/sale_cancelled",
        context={
            "title": cancellation.title,
            "reason": cancellation.reason,
            "total": total,
            "refunded": refunded,
            "failed": failed,
            "sales_path": reverse("payments:sales"),
        },
    )


def _queue_cancellation(line: OrderLine, *, template: str, amount: Money, **more: Any) -> None:
    """The key counts the cancelled places of the line, since they may be cancelled one after another."""
    order = line.order
    queue_mail(
        key=f"line:{line.pk}:cancelled:{line.revoked_quantity}",
        to=order.user,
        template=f"payments/mail/{template}",
        context={
            "order_number": order.number,
            "order_path": order.get_absolute_url(),
            "title": line.title,
            "description": line.description,
            "teacher": line.seller_name,
            "amount": _text_of(amount),
            "paid": _text_of(line.amount),
            **more,
        },
    )


def _text_of(amount: Money) -> str:
    """The amount as text; empty for zero."""
    return str(amount) if amount.minor else ""


def _receipt(order: Order) -> RenderedAttachment:
    return RenderedAttachment(
        name=order.receipt_name, mime="application/pdf", renderer=RECEIPT_RENDERER, reference=order.number
    )


def _credit_note(refund: Refund) -> RenderedAttachment:
    return RenderedAttachment(
        name=f"credit-note-{refund.payment.order.number}.pdf",
        mime="application/pdf",
        renderer=CREDIT_NOTE_RENDERER,
        reference=str(refund.pk),
    )


def _order_context(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """Plain values only: a queued mail must not change when the order does."""
    return {
        "order_number": order.number,
        "order_path": order.get_absolute_url(),
        "total": str(order.total),
        "taxes": [{"name": total.name, "amount": str(total.tax)} for total in order.taxes],
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
