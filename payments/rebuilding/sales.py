"""Derive the journals of orders: sales, second payments, maturities and refunds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.entries import AccountKind, JournalKind
from money import Money
from payments.earnings import entries
from payments.earnings.entries import Portion, RefundedPart
from payments.earnings.platform_discounts import portion_between, portion_by_platform, source_of
from payments.models import (
    DiscountStep,
    Earning,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundAllocation,
    RefundChange,
)
from payments.rebuilding.drafts import Draft


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order with all rows that its journals follow from. Lines by primary key."""

    order: Order
    lines: Mapping[int, OrderLine]
    earnings: Mapping[int, Earning]
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    allocations: Mapping[int, Sequence[RefundAllocation]]
    changes: Mapping[int, Sequence[RefundChange]]
    # By line, then in the order of their numbers.
    discount_steps: Sequence[DiscountStep] = ()

    @property
    def subject(self) -> str:
        return f"order:{self.order.number}"

    def account_at(self, line: OrderLine, moment: datetime) -> AccountKind:
        """Where the share of a line was at a moment."""
        earning = self.earnings.get(line.pk)
        has_matured = earning is not None and earning.matured_at is not None and earning.matured_at <= moment
        return AccountKind.TEACHER_AVAILABLE if has_matured else AccountKind.TEACHER_PENDING


def drafts_of_order(facts: OrderFacts) -> Iterator[Draft]:
    """All journals of a paid order but those of Stripe's costs and of disputes."""
    yield _sale(facts)
    second = {refund.payment_id for refund in facts.refunds if refund.reason == Refund.Reason.SECOND_PAYMENT}
    for payment in facts.payments:
        if payment.pk in second:
            yield Draft(
                source=f"payment:{payment.reference}:second",
                kind=JournalKind.SECOND_PAYMENT,
                subject=facts.subject,
                entries=entries.entries_of_second_payment(payment.amount),
                effective_at=payment.ended_at,
            )
    for earning in facts.earnings.values():
        if earning.matured_at:
            yield _maturity(facts, earning)
    for refund in facts.refunds:
        yield from _refund(facts, refund)
    yield from _discount_steps(facts)


def _sale(facts: OrderFacts) -> Draft:
    lines = facts.lines.values()
    return Draft(
        source=f"{facts.subject}:settled",
        kind=JournalKind.SALE,
        subject=facts.subject,
        entries=entries.entries_of_sale(
            [
                Portion(teacher_id=x.teacher_id, fee=x.platform_fee, share=x.teacher_share, tax=x.platform_tax)
                for x in lines
                if x.was_delivered
            ],
            [line.amount for line in lines if not line.was_delivered],
            by_platform=[portion_by_platform(line) for line in lines if line.was_delivered],
        ),
        effective_at=facts.order.paid_at,
    )


def _maturity(facts: OrderFacts, earning: Earning) -> Draft:
    left = Money(earning.matured_minor or 0, earning.currency)
    return Draft(
        source=f"line:{facts.order.number}:{earning.pk}:matured",
        kind=JournalKind.MATURITY,
        subject=facts.subject,
        entries=entries.entries_of_maturity(left, earning.teacher_id),
        effective_at=earning.matured_at,
    )


def _discount_steps(facts: OrderFacts) -> Iterator[Draft]:
    before: dict[int, DiscountStep] = {}
    for step in facts.discount_steps:
        line = facts.lines[step.line_id]
        portion = portion_between(line, before.get(line.pk), step)
        before[line.pk] = step
        yield Draft(
            source=source_of(line, step.number),
            kind=JournalKind.DISCOUNT_RECLAIMED,
            subject=facts.subject,
            entries=entries.entries_of_reclaim(portion, share_account=facts.account_at(line, step.at)),
            effective_at=step.at,
        )


@dataclass(frozen=True, slots=True)
class _Course:
    """When a refund was allocated to lines, succeeded and ended, as far as it was."""

    allocated_at: datetime
    succeeded_at: datetime | None
    ended_at: datetime | None
    is_allocated_late: bool


def _course_of(refund: Refund, changes: Sequence[RefundChange]) -> _Course:
    kinds = [change.kind for change in changes]
    moment_of = {change.kind: change.at for change in reversed(changes)}
    written_at = changes[0].at if changes else refund.created_at
    by_staff = RefundChange.Kind.ALLOCATED in kinds
    succeeded = RefundChange.Kind.SUCCEEDED
    # Succeeded when it was recorded, because it was made at Stripe; or staff allocated it after that.
    is_late = kinds[:1] == [succeeded] or (
        by_staff and succeeded in kinds and kinds.index(RefundChange.Kind.ALLOCATED) > kinds.index(succeeded)
    )
    ended = [moment_of[kind] for kind in (RefundChange.Kind.FAILED, RefundChange.Kind.CANCELED) if kind in moment_of]
    return _Course(
        allocated_at=moment_of[RefundChange.Kind.ALLOCATED] if by_staff else written_at,
        succeeded_at=moment_of.get(succeeded) or refund.succeeded_at,
        ended_at=ended[0] if ended else refund.ended_at,
        is_allocated_late=is_late,
    )


def _refund(facts: OrderFacts, refund: Refund) -> Iterator[Draft]:
    course = _course_of(refund, facts.changes.get(refund.pk, ()))
    allocations = facts.allocations.get(refund.pk, ())
    for allocation in allocations:
        line = facts.lines[allocation.line_id]
        if course.is_allocated_late:
            yield _late(facts, refund, allocation, course)
        elif line.was_delivered:
            yield _held(facts, refund, allocation, course)
    if course.succeeded_at:
        yield _succeeded(facts, refund, () if course.is_allocated_late else allocations, course)
    if course.ended_at:
        yield from _ended(facts, refund, allocations, course)


def _held(facts: OrderFacts, refund: Refund, allocation: RefundAllocation, course: _Course) -> Draft:
    line = facts.lines[allocation.line_id]
    account = facts.account_at(line, course.allocated_at)
    return Draft(
        source=f"refund:{refund.idempotency_key}:line:{line.pk}:held",
        kind=JournalKind.REFUND_HELD,
        subject=facts.subject,
        entries=entries.entries_of_hold(_share(refund, allocation), line.teacher_id, from_account=account),
        effective_at=course.allocated_at,
    )


def _late(facts: OrderFacts, refund: Refund, allocation: RefundAllocation, course: _Course) -> Draft:
    line = facts.lines[allocation.line_id]
    return Draft(
        source=f"refund:{refund.idempotency_key}:line:{line.pk}:allocated",
        kind=JournalKind.REFUND_ALLOCATED,
        subject=facts.subject,
        entries=entries.entries_of_late_allocation(
            _part(facts, refund, allocation), share_account=facts.account_at(line, course.allocated_at)
        ),
        effective_at=course.allocated_at,
    )


def _succeeded(facts: OrderFacts, refund: Refund, allocations: Sequence[RefundAllocation], course: _Course) -> Draft:
    return Draft(
        source=f"refund:{refund.idempotency_key}:succeeded",
        kind=JournalKind.REFUND,
        subject=facts.subject,
        entries=entries.entries_of_refund(
            [_part(facts, refund, allocation) for allocation in allocations],
            _rest(refund, allocations),
            rest_account=_account_of_rest(refund),
        ),
        effective_at=course.succeeded_at,
    )


def _ended(
    facts: OrderFacts, refund: Refund, allocations: Sequence[RefundAllocation], course: _Course
) -> Iterator[Draft]:
    moment = course.ended_at or refund.created_at
    if course.succeeded_at:
        parts = [
            (_part(facts, refund, each), facts.account_at(facts.lines[each.line_id], moment)) for each in allocations
        ]
        yield Draft(
            source=f"refund:{refund.idempotency_key}:failed",
            kind=JournalKind.REFUND_FAILED,
            subject=facts.subject,
            entries=entries.entries_of_failed_refund(
                parts, _rest(refund, allocations), rest_account=_account_of_rest(refund)
            ),
            effective_at=moment,
        )
        return
    for allocation in allocations:
        line = facts.lines[allocation.line_id]
        if line.was_delivered:
            yield Draft(
                source=f"refund:{refund.idempotency_key}:line:{line.pk}:released",
                kind=JournalKind.REFUND_RELEASED,
                subject=facts.subject,
                entries=entries.entries_of_release(
                    _share(refund, allocation), line.teacher_id, to_account=facts.account_at(line, moment)
                ),
                effective_at=moment,
            )


def _part(facts: OrderFacts, refund: Refund, allocation: RefundAllocation) -> RefundedPart:
    line = facts.lines[allocation.line_id]
    fee = Money(allocation.fee_minor, refund.currency)
    share = _share(refund, allocation)
    tax = Money(allocation.amount_minor, refund.currency) - fee - share
    portion = Portion(teacher_id=line.teacher_id, fee=fee, share=share, tax=tax)
    return RefundedPart(portion=portion, is_delivered=line.was_delivered)


def _share(refund: Refund, allocation: RefundAllocation) -> Money:
    return Money(allocation.share_minor, refund.currency)


def _rest(refund: Refund, allocations: Sequence[RefundAllocation]) -> Money:
    return Money(refund.amount_minor - sum(each.amount_minor for each in allocations), refund.currency)


def _account_of_rest(refund: Refund) -> AccountKind:
    is_second = refund.reason == Refund.Reason.SECOND_PAYMENT
    return AccountKind.REFUNDS_DUE if is_second else AccountKind.REFUNDS_TO_ALLOCATE
