"""Book what was sold before the ledger existed, or restored without it, from what orders and refunds themselves record."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Concat

from ledger.entries import AccountKind
from ledger.journals import record_journal
from ledger.locks import lock_teacher_accounts
from ledger.models import Journal, Posting
from payments.earnings.books import teachers_of
from payments.models import Earning, Order, OrderLine, Refund, RefundAllocation
from payments.rebuilding.drafts import Draft
from payments.rebuilding.orders import load_facts
from payments.rebuilding.sales import OrderFacts, drafts_of_order

_DELIVERED = (OrderLine.State.FULFILLED, OrderLine.State.REVOKED)
_UNDER_WAY = (Refund.Status.REQUESTED, Refund.Status.PENDING, Refund.Status.REQUIRES_ACTION)


def book_earlier_sales() -> int:
    """Book each paid order of which the books lack anything; returns how many. A repeat finds none."""
    paid = Order.objects.filter(state=Order.State.COMPLETED, total_minor__gt=0)
    sold = Concat(Value("order:"), "number", Value(":settled"), output_field=CharField())
    incomplete = paid.annotate(sold=sold).filter(
        ~_journal(OuterRef("sold"))
        | Exists(_lines_without_earning().filter(order=OuterRef("pk")))
        | Exists(_unbooked_refunds().filter(payment__order=OuterRef("pk")))
        | Exists(_unheld_allocations().filter(line__order=OuterRef("pk")))
    )
    orders = incomplete.order_by("paid_at", "pk").values_list("pk", flat=True)
    return sum(book_earlier_sale(order_id) for order_id in orders.iterator())


def _journal(source: OuterRef) -> Exists:
    return Exists(Journal.objects.filter(source=source))


def _lines_without_earning() -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(state__in=_DELIVERED, teacher_share_minor__gt=0, earning=None)


def _unbooked_refunds() -> QuerySet[Refund]:
    source = Concat(Value("refund:"), "idempotency_key", Value(":succeeded"), output_field=CharField())
    succeeded = Refund.objects.filter(succeeded_at__isnull=False)
    return succeeded.annotate(source=source).filter(~_journal(OuterRef("source")))


def _unheld_allocations() -> QuerySet[RefundAllocation]:
    """What refunds under way should hold of teachers' shares, and do not."""
    source = Concat(
        Value("refund:"),
        "refund__idempotency_key",
        Value(":line:"),
        "line_id",
        Value(":held"),
        output_field=CharField(),
    )
    under_way = Q(refund__status__in=_UNDER_WAY, line__state__in=_DELIVERED, share_minor__gt=0)
    return RefundAllocation.objects.filter(under_way).annotate(source=source).filter(~_journal(OuterRef("source")))


def book_earlier_sale(order_id: int) -> bool:
    """Book what the books lack of one paid order and its refunds; False if that is nothing."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        if not order.is_paid or not order.total_minor:
            return False
        has_added = _add_earnings(order)
        (facts,) = load_facts([order])
        drafts = _missing(facts)
        if drafts:
            lock_teacher_accounts(teachers_of(facts.lines.values()), order.currency)
        written = [
            record_journal(
                source=draft.source,
                kind=draft.kind,
                entries=draft.entries,
                subject=draft.subject,
                effective_at=draft.effective_at,
            )
            for draft in drafts
        ]
    return has_added or any(written)


def _add_earnings(order: Order) -> bool:
    """Remember again where the share of each delivered line is: available if the ledger has its maturity."""
    lines = list(_lines_without_earning().filter(order=order))
    source_of = {f"line:{order.number}:{line.pk}:matured": line.pk for line in lines}
    postings = Posting.objects.filter(
        journal__source__in=list(source_of), account__kind=AccountKind.TEACHER_AVAILABLE
    ).values_list("journal__source", "recorded_at")
    matured = {source_of[source]: (at, -minor) for source, at, minor in postings.annotate(minor=Sum("amount_minor"))}
    for line in lines:
        matured_at, matured_minor = matured.get(line.pk, (None, None))
        if line.teacher_id is None:
            continue
        earning = Earning(
            line=line,
            teacher_id=line.teacher_id,
            currency=order.currency,
            share_minor=line.teacher_share_minor,
            matured_at=matured_at,
            matured_minor=matured_minor,
        )
        if matured_at:
            earning.look_at = None
        earning.save(force_insert=True)
    return bool(lines)


def _missing(facts: OrderFacts) -> Sequence[Draft]:
    """The journals that the books lack. A refund is derived as a whole, or left alone."""
    drafts = list(drafts_of_order(facts))
    booked = set(Journal.objects.filter(source__in=[draft.source for draft in drafts]).values_list("source", flat=True))
    begun = {_happening(source) for source in booked if source.startswith("refund:")}
    return [draft for draft in drafts if draft.source not in booked and _happening(draft.source) not in begun]


def _happening(source: str) -> str:
    return ":".join(source.split(":")[:2])
