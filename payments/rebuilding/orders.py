"""Load orders with everything their journals follow from, a chunk at a time, and derive the journals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model

from payments.models import (
    DiscountStep,
    Dispute,
    DisputeMovement,
    DisputeStep,
    Earning,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundAllocation,
    RefundChange,
    StripeMovement,
)
from payments.rebuilding.disputes import drafts_of_dispute
from payments.rebuilding.drafts import Draft
from payments.rebuilding.sales import OrderFacts, drafts_of_order
from payments.rebuilding.statement import drafts_of_charge, drafts_of_refund
from payments.rebuilding.unkept_steps import copies_of_unkept_steps
from payments.reconciliation.statement import Movement, Topic, key_of
from payments.reconciliation.statement_reading import as_movement

_ORDERS_AT_ONCE = 200
Row = TypeVar("Row", bound=Model)


def drafts_of_orders(*, livemode: bool) -> Iterator[list[Draft]]:
    """The journals of all paid orders, a chunk of orders at a time. Constant memory and queries per chunk."""
    last = 0
    while orders := list(
        Order.objects.filter(state=Order.State.COMPLETED, pk__gt=last).order_by("pk")[:_ORDERS_AT_ONCE]
    ):
        last = orders[-1].pk
        yield list(_drafts_of(orders, livemode=livemode))


def _drafts_of(orders: Sequence[Order], *, livemode: bool) -> Iterator[Draft]:
    all_facts = load_facts(orders)
    for facts in all_facts:
        if facts.order.total_minor or any(line.platform_discount_minor for line in facts.lines.values()):
            yield from drafts_of_order(facts)
    yield from _drafts_of_statement(all_facts, livemode=livemode)
    yield from _drafts_of_disputes(all_facts)


def load_facts(orders: Sequence[Order]) -> list[OrderFacts]:
    """The orders with all rows that their journals follow from. As many queries for many orders as for one."""
    by_pk = {order.pk: order for order in orders}
    lines = _grouped(OrderLine.objects.filter(order__in=by_pk).order_by("pk"), lambda line: line.order_id)
    for line in (line for of_order in lines.values() for line in of_order):
        line.order = by_pk[line.order_id]
    payments = _grouped(Payment.objects.filter(order__in=by_pk).order_by("pk"), lambda payment: payment.order_id)
    for payment in (payment for of_order in payments.values() for payment in of_order):
        payment.order = by_pk[payment.order_id]
    return _facts(by_pk, lines, payments)


def _facts(
    orders: Mapping[int, Order], lines: Mapping[int, list[OrderLine]], payments: Mapping[int, list[Payment]]
) -> list[OrderFacts]:
    payment_of = {payment.pk: payment for of_order in payments.values() for payment in of_order}
    refunds = list(Refund.objects.filter(payment__in=payment_of).order_by("pk"))
    for refund in refunds:
        refund.payment = payment_of[refund.payment_id]
    refunds_of = _grouped(refunds, lambda refund: refund.payment.order_id)
    ids = [refund.pk for refund in refunds]
    allocations = _grouped(
        RefundAllocation.objects.filter(refund__in=ids).order_by("pk"), lambda allocation: allocation.refund_id
    )
    changes = _grouped(RefundChange.objects.filter(refund__in=ids).order_by("pk"), lambda change: change.refund_id)
    earnings = _grouped(
        Earning.objects.filter(line__order__in=orders).select_related("line"), lambda e: e.line.order_id
    )
    steps = _grouped(
        DiscountStep.objects.filter(line__order__in=orders).select_related("line").order_by("line", "number"),
        lambda step: step.line.order_id,
    )
    return [
        OrderFacts(
            order=order,
            lines={line.pk: line for line in lines.get(pk, ())},
            earnings={earning.pk: earning for earning in earnings.get(pk, ())},
            payments=payments.get(pk, ()),
            refunds=refunds_of.get(pk, ()),
            allocations=allocations,
            changes=changes,
            discount_steps=steps.get(pk, ()),
        )
        for pk, order in orders.items()
    ]


def _drafts_of_statement(all_facts: Sequence[OrderFacts], *, livemode: bool) -> Iterator[Draft]:
    charges = [payment for facts in all_facts for payment in facts.payments if payment.stripe_payment_intent_id]
    refunds = [refund for facts in all_facts for refund in facts.refunds if refund.stripe_refund_id]
    charge_keys = {key_of(Topic.CHARGE, payment.stripe_payment_intent_id or ""): payment for payment in charges}
    refund_keys = {key_of(Topic.REFUND, refund.stripe_refund_id or ""): refund for refund in refunds}
    rows = StripeMovement.objects.filter(match_key__in=[*charge_keys, *refund_keys], livemode=livemode)
    movements: dict[str, list[Movement]] = defaultdict(list)
    for row in rows.order_by("happened_at", "stripe_id"):
        movements[row.match_key].append(as_movement(row))
    for key, payment in charge_keys.items():
        yield from drafts_of_charge(payment, movements.get(key, ()))
    for key, refund in refund_keys.items():
        yield from drafts_of_refund(refund, movements.get(key, ()))


def _drafts_of_disputes(all_facts: Sequence[OrderFacts]) -> Iterator[Draft]:
    payment_of = {payment.pk: (payment, facts) for facts in all_facts for payment in facts.payments}
    disputes = list(Dispute.objects.filter(payment__in=payment_of).order_by("pk"))
    ids = [dispute.pk for dispute in disputes]
    movements = _grouped(DisputeMovement.objects.filter(dispute__in=ids).order_by("pk"), lambda each: each.dispute_id)
    steps = _grouped(DisputeStep.objects.filter(dispute__in=ids).order_by("number"), lambda each: each.dispute_id)
    yield from copies_of_unkept_steps(disputes, steps)
    for dispute in disputes:
        dispute.payment, facts = payment_of[dispute.payment_id]
        yield from drafts_of_dispute(
            dispute,
            movements=movements.get(dispute.pk, ()),
            steps=steps.get(dispute.pk, ()),
            lines=facts.lines,
            account_at=facts.account_at,
        )


def _grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
