"""The events about orders, refunds, payouts and disputes that people's own programs can hear of.

Each is announced in the transaction that decides it. A teacher sees their own lines and what these amount to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from money import Money
from payments.models import Dispute, Order, OrderLine, Payout, Refund, RefundAllocation
from webhooks.announcing import View, announce, same_for_all
from webhooks.event_types import EVERYONE, Audience, EventType, Field, Rows, register_event_type

_STUDENTS = frozenset({Audience.STUDENT})
_TEACHERS = frozenset({Audience.TEACHER})
_ORDER = Field(str, "`number` of the order.")
_CURRENCY = Field(str, "ISO 4217 code.")
_LINE = Field(int, "`id` of the order line.")

ORDER_PAID = register_event_type(
    EventType(
        name="order.paid",
        text="An order was paid and delivered. A teacher hears of their own lines.",
        audiences=EVERYONE,
        fields={
            "order": _ORDER,
            "currency": _CURRENCY,
            "amount": Field(str, "What was paid for these lines."),
            "lines": Rows(
                {
                    "id": _LINE,
                    "domain": Field(str, "What kind of thing it is: bookings, workshops, courses."),
                    "reference": Field(str, "Which one, as in the cart."),
                    "quantity": Field(int, "How many."),
                    "amount": Field(str, "What was paid for it."),
                    "state": Field(str, "`fulfilled`, or `undeliverable` if it is refunded."),
                },
                "What was bought.",
            ),
        },
    )
)
ORDER_CANCELLED = register_event_type(
    EventType(
        name="order.cancelled",
        text="An order was not paid in time, or its payment was refused; nothing was delivered.",
        audiences=_STUDENTS,
        fields={"order": _ORDER, "currency": _CURRENCY, "amount": Field(str, "What it would have cost.")},
    )
)
REFUND_SUCCEEDED = register_event_type(
    EventType(
        name="refund.succeeded",
        text="A refund reached the student. A teacher hears of their own lines.",
        audiences=EVERYONE,
        fields={
            "refund": Field(int, "`id` of the refund."),
            "order": _ORDER,
            "currency": _CURRENCY,
            "amount": Field(str, "What was refunded; to a teacher, of their lines."),
            "lines": Rows(
                {"id": _LINE, "amount": Field(str, "What was refunded of it.")},
                "Empty if it belongs to no line, or not yet.",
            ),
        },
    )
)
_PAYOUT = {
    "payout": Field(str, "`reference` of the payout."),
    "currency": _CURRENCY,
    "amount": Field(str, "The amount of the payout."),
}
PAYOUT_PAID = register_event_type(
    EventType(name="payout.paid", text="A payout was sent to the teacher.", audiences=_TEACHERS, fields=_PAYOUT)
)
PAYOUT_FAILED = register_event_type(
    EventType(
        name="payout.failed",
        text="A payout failed; its money is back in the balance.",
        audiences=_TEACHERS,
        fields=_PAYOUT,
    )
)
_DISPUTE = {
    "dispute": Field(int, "`id` of the dispute."),
    "order": _ORDER,
    "currency": _CURRENCY,
    "amount": Field(str, "What is disputed; to a teacher, what it takes of their lines."),
    "status": Field(str, "`needs_response`, `won`, `lost` and so on, as Stripe names them."),
}
DISPUTE_OPENED = register_event_type(
    EventType(
        name="dispute.opened",
        text="A student's bank disputes a payment. Teachers hear of it if it takes money of their lines.",
        audiences=_TEACHERS,
        fields=_DISPUTE,
    )
)
DISPUTE_CLOSED = register_event_type(
    EventType(name="dispute.closed", text="A dispute was decided.", audiences=_TEACHERS, fields=_DISPUTE)
)


def announce_paid_order(order: Order, lines: Sequence[OrderLine]) -> None:
    """Announce to student and teachers that an order was paid."""
    views = [
        View(data=_paid(order, lines, order.total)),
        View(data=_paid(order, lines, order.total), user_id=order.user_id),
    ]
    for teacher_id in sorted({line.teacher_id for line in lines if line.teacher_id is not None}):
        theirs = [line for line in lines if line.teacher_id == teacher_id]
        amount = sum((line.amount for line in theirs), Money.zero(order.currency))
        views.append(View(data=_paid(order, theirs, amount), teacher_id=teacher_id))
    announce(ORDER_PAID, subject=f"order:{order.pk}", views=views)


def announce_cancelled_order(order: Order) -> None:
    """Announce to the student that an order was cancelled unpaid. Teachers never heard of it."""
    data = {"order": order.number, "currency": order.currency, "amount": str(order.total.to_major())}
    announce(ORDER_CANCELLED, subject=f"order:{order.pk}", views=same_for_all(data, user_id=order.user_id))


def announce_refund(refund: Refund) -> None:
    """Announce to the student that a refund reached them."""
    data = _refunded(refund, list(refund.allocations.select_related("line")), refund.amount)
    views = same_for_all(data, user_id=refund.payment.order.user_id)
    announce(REFUND_SUCCEEDED, subject=f"refund:{refund.pk}", views=views)


def announce_refund_to_teachers(refund: Refund) -> None:
    """Announce to each teacher what was refunded of their lines, once it belongs to lines."""
    parts_of: dict[int, list[RefundAllocation]] = {}
    for part in refund.allocations.select_related("line"):
        # Of a line that was never delivered they have not earned anything.
        if part.line.state != OrderLine.State.UNDELIVERABLE and part.line.teacher_id is not None:
            parts_of.setdefault(part.line.teacher_id, []).append(part)
    views = []
    for teacher_id, parts in parts_of.items():
        minor = sum(part.amount_minor for part in parts)
        views.append(View(data=_refunded(refund, parts, Money(minor, refund.currency)), teacher_id=teacher_id))
    announce(REFUND_SUCCEEDED, subject=f"refund:{refund.pk}", views=views)


def announce_payout(payout: Payout) -> None:
    """Announce to the teacher that a payout was paid or has failed; other states are no events."""
    event_type = {Payout.Status.PAID: PAYOUT_PAID, Payout.Status.FAILED: PAYOUT_FAILED}.get(
        Payout.Status(payout.status)
    )
    if event_type is None:
        return
    data = {"payout": str(payout.reference), "currency": payout.currency, "amount": str(payout.amount.to_major())}
    views = same_for_all(data, teacher_id=payout.teacher_id)
    announce(event_type, subject=f"payout:{payout.reference}", views=views)


def announce_dispute(event_type: EventType, dispute: Dispute, taken_of_lines: Mapping[int, int]) -> None:
    """Announce a dispute to staff, and to the teachers of whose lines it takes something, in minor units by line."""
    order = dispute.payment.order
    data = {"dispute": dispute.pk, "order": order.number, "status": dispute.status}
    views = [View(data=data | {"currency": dispute.currency, "amount": str(dispute.amount.to_major())})]
    taken_of: dict[int, int] = {}
    for line_id, teacher_id in OrderLine.objects.filter(pk__in=taken_of_lines).values_list("pk", "teacher_id"):
        if teacher_id is not None:
            taken_of[teacher_id] = taken_of.get(teacher_id, 0) + taken_of_lines[line_id]
    for teacher_id, minor in taken_of.items():
        amount = Money(minor, dispute.payment.currency)
        of_theirs = data | {"currency": amount.currency, "amount": str(amount.to_major())}
        views.append(View(data=of_theirs, teacher_id=teacher_id))
    # A decided case may be opened again and decided otherwise.
    decided = f":{dispute.status}" if event_type is DISPUTE_CLOSED else ""
    announce(event_type, subject=f"dispute:{dispute.pk}{decided}", views=views)


def _paid(order: Order, lines: Sequence[OrderLine], amount: Money) -> dict[str, Any]:
    return {
        "order": order.number,
        "currency": order.currency,
        "amount": str(amount.to_major()),
        "lines": [
            {
                "id": line.pk,
                "domain": line.domain,
                "reference": line.reference,
                "quantity": line.quantity,
                "amount": str(line.amount.to_major()),
                "state": line.state,
            }
            for line in lines
        ],
    }


def _refunded(refund: Refund, parts: Sequence[RefundAllocation], amount: Money) -> dict[str, Any]:
    return {
        "refund": refund.pk,
        "order": refund.payment.order.number,
        "currency": refund.currency,
        "amount": str(amount.to_major()),
        "lines": [
            {"id": part.line_id, "amount": str(Money(part.amount_minor, refund.currency).to_major())} for part in parts
        ],
    }
