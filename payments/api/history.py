"""What students and teachers see of their money over time, newest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from api.cursors import read_cursor, write_cursor
from money import Money
from payments.earnings.movement_pages import page_of_movements
from payments.earnings.movements import as_movements
from payments.models import Payment, Refund

# What a student's history shows of a payment: it was paid, is being paid, or was tried in vain.
_SHOWN = (Payment.Status.SUCCEEDED, Payment.Status.PROCESSING, Payment.Status.FAILED)
_SHOWN_OF_PAYMENTS = ("amount_minor", "currency", "status", "failure_message", "created_at", "order__number")
_SHOWN_OF_REFUNDS = ("amount_minor", "currency", "status", "created_at", "payment__order__number")
_PAYMENT, _REFUND = 1, 0


@dataclass(frozen=True, slots=True)
class Page:
    """Entries as the serializer takes them, and the cursor of the next page; None after the last one."""

    entries: list[dict[str, Any]]
    cursor: str | None


def page_of_student(user_id: int, *, cursor: str, limit: int) -> Page:
    """A student's payments and refunds. Two queries. Raises ValidationError for a foreign cursor."""
    position = read_cursor(cursor, int, int)
    payments = Payment.objects.filter(order__user_id=user_id, status__in=_SHOWN)
    refunds = Refund.objects.filter(payment__order__user_id=user_id)
    # All of them are sorted, so without the frozen requests to Stripe, which are the most of each row.
    paid = _older(payments.select_related("order").only(*_SHOWN_OF_PAYMENTS), _PAYMENT, position)[: limit + 1]
    given_back = _older(refunds.select_related("payment__order").only(*_SHOWN_OF_REFUNDS), _REFUND, position)[
        : limit + 1
    ]
    entries = [((payment.created_at, _PAYMENT, payment.pk), _of_payment(payment)) for payment in paid]
    entries += [((refund.created_at, _REFUND, refund.pk), _of_refund(refund)) for refund in given_back]
    entries.sort(key=lambda entry: entry[0], reverse=True)
    shown = entries[:limit]
    return Page([entry for _, entry in shown], write_cursor(*shown[-1][0]) if len(entries) > limit else None)


def _older(rows: QuerySet, rank: int, position: Any) -> QuerySet:  # type: ignore[type-arg]  # of two models
    """The rows after a position, newest first. At one moment, payments come before refunds."""
    if position is not None:
        at, (last_rank, last_pk) = position
        same_moment = Q(pk__lt=last_pk) if rank == last_rank else Q() if rank < last_rank else Q(pk=None)
        # The first condition is contained in the second, but it is the one that an index knows.
        rows = rows.filter(Q(created_at__lte=at) & (Q(created_at__lt=at) | same_moment))
    return rows.order_by("-created_at", "-pk")


def _of_payment(payment: Payment) -> dict[str, Any]:
    entry = _entry("payment", payment.amount * -1, payment.created_at, payment.order.number)
    return entry | {"status": payment.status, "description": payment.failure_message, "url": _url(payment)}


def _of_refund(refund: Refund) -> dict[str, Any]:
    entry = _entry("refund", refund.amount, refund.created_at, refund.payment.order.number)
    return entry | {"status": refund.status, "description": "", "url": _url(refund.payment)}


def _url(payment: Payment) -> str:
    return f"{settings.BASE_URL}{payment.order.get_absolute_url()}"


def page_of_teacher(teacher_id: int, *, cursor: str, limit: int) -> Page:
    """What changed a teacher's money. Five queries, as a rule. Raises ValidationError for a foreign cursor."""
    position = read_cursor(cursor, int, str)
    after = (position[0], *position[1]) if position else None
    found = page_of_movements(teacher_id, after=after, limit=limit + 1)
    shown = found[:limit]
    entries = [
        _entry(movement.kind, movement.amount, movement.at, movement.order_number)
        | {"status": "booked", "description": movement.description or movement.title, "url": None}
        for movement in as_movements(shown, teacher_id=teacher_id)
    ]
    last = shown[-1] if len(found) > limit else None
    return Page(entries, write_cursor(last["effective_at"], last["journal_id"], last["currency"]) if last else None)


def _entry(kind: str, amount: Money, at: Any, order_number: str) -> dict[str, Any]:
    return {
        "type": kind,
        "at": at,
        "currency": amount.currency,
        "amount": amount.to_major(),
        "order": order_number or None,
    }
