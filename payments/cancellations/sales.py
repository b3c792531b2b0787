"""Cancel everything that was sold of one item: each line is revoked and refunded once, by workers, with progress.

A domain that cancels an item first makes sure that nothing more of it is delivered, then calls `cancel_all_sold` in the
same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from jobs.models import DurableWork, WorkParked
from jobs.wakeups import wake_after_commit
from money import Money
from notifications.alerts import raise_alert
from payments.cancellations.lines import CannotCancel, cancel_for_teacher
from payments.disputes.claims import CLOSED
from payments.mails import queue_sale_cancelled
from payments.models import DisputeAllocation, LineCancellation, OrderLine, Refund, SaleCancellation
from payments.refunds.states import ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What is sold of an item and not cancelled yet: orders, places, and what is left to refund per currency.

    `disputed` is what students dispute of it with their banks, which decide about it.
    """

    orders: int
    places: int
    refundable: Sequence[Money]
    disputed: Sequence[Money]

    @property
    def is_paid(self) -> bool:
        """Whether anything comes back to students, from us or from their banks."""
        return bool(self.refundable or self.disputed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a cancellation has come, in order lines."""

    total: int
    # Cancelled, with a refund if anything was left to refund.
    done: int
    # Whose refund Stripe has confirmed.
    confirmed: int
    # Given up, or cancelled but with a refund that failed: staff see to them.
    failed: int

    @property
    def is_finished(self) -> bool:
        return self.done + self.failed >= self.total


def sold_of(*, domain: str, reference: str) -> Sold:
    """What a cancellation of this item would cancel now."""
    lines = _delivered(domain, reference)
    counts = lines.aggregate(orders=Count("order", distinct=True), places=Sum(F("quantity") - F("revoked_quantity")))
    left = F("amount_minor") - F("refunded_minor") - F("disputed_minor")
    sums = lines.values("order__currency").annotate(left=Sum(left)).order_by("order__currency")
    claims = DisputeAllocation.objects.filter(line__in=lines, amount_minor__gt=0)
    open_claims = claims.exclude(dispute__status__in=CLOSED).values("dispute__payment__currency")
    disputed = open_claims.annotate(minor=Sum("amount_minor")).order_by("dispute__payment__currency")
    return Sold(
        orders=counts["orders"],
        places=counts["places"] or 0,
        refundable=[Money(row["left"], row["order__currency"]) for row in sums if row["left"]],
        disputed=[Money(row["minor"], row["dispute__payment__currency"]) for row in disputed],
    )


def cancel_all_sold(  # noqa: PLR0913  # each is a fact of the cancellation
    *, domain: str, reference: str, title: str, teacher_id: int, reason: str, requested_by_id: int
) -> SaleCancellation:
    """Have every delivered line of an item cancelled and refunded in full. Call in the transaction that closes the item.

    A line belongs to one cancellation only, so a repeat adds only lines that are not in one yet.
    """
    with transaction.atomic():
        cancellation = SaleCancellation.objects.create(
            domain=domain,
            reference=reference,
            title=title[:200],
            teacher_id=teacher_id,
            reason=reason[:300],
            requested_by_id=requested_by_id,
        )
        lines = _delivered(domain, reference).filter(cancellation=None).order_by("pk")
        LineCancellation.objects.bulk_create(LineCancellation(cancellation=cancellation, line=line) for line in lines)
        wake_after_commit(LineCancellation)
        _report_if_finished(cancellation)
    return cancellation


def cancel_sold_line(work: LineCancellation) -> None:
    """Revoke and refund one line. A repeat changes nothing. Raises WorkParked if staff must look at it."""
    with transaction.atomic():
        try:
            done = cancel_for_teacher(
                line_id=work.line_id,
                reason=work.cancellation.reason,
                requested_by_id=work.cancellation.requested_by_id,
            )
        except CannotCancel as refusal:
            raise WorkParked(str(refusal)) from refusal
        work.mark_done(refund=done.refund if done else None)
        _report_if_finished(work.cancellation)


def give_up_line(work: LineCancellation) -> None:
    """Alert staff about a line that could not be cancelled. Called in the transaction that parks it."""
    raise_alert(
        key=f"line-cancellation-parked:{work.pk}",
        title=f"Order {work.line.order.number}: a place of a cancelled item could not be refunded",
        detail={"item": work.cancellation.title, "error": work.end_of_error},
    )
    _report_if_finished(work.cancellation)


def progress_of(cancellation: SaleCancellation) -> Progress:
    """How far the cancellation has come, in one query."""
    is_done = Q(state=DurableWork.State.DONE)
    has_failed = is_done & Q(refund__status__in=ENDED)
    counts = cancellation.lines.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=is_done & ~Q(refund__status__in=ENDED)),
        confirmed=Count("pk", filter=is_done & Q(refund__status=Refund.Status.SUCCEEDED)),
        failed=Count("pk", filter=has_failed | Q(state=DurableWork.State.PARKED)),
    )
    return Progress(**counts)


def failures_of(cancellation: SaleCancellation) -> QuerySet[LineCancellation]:
    """The lines that staff must look at: given up, or with a refund that failed."""
    lines = cancellation.lines.select_related("line__order__user", "refund")
    return lines.filter(Q(state=DurableWork.State.PARKED) | Q(refund__status__in=ENDED)).order_by("pk")


def latest_cancellation(*, domain: str, reference: str) -> SaleCancellation | None:
    """The last cancellation of an item; None if it never was cancelled."""
    return SaleCancellation.objects.filter(domain=domain, reference=reference).first()


def _delivered(domain: str, reference: str) -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(domain=domain, reference=reference, state=OrderLine.State.FULFILLED)


def _report_if_finished(cancellation: SaleCancellation) -> None:
    """Mail the teacher once, when the last line is done or given up.

    Locks the cancellation: of two workers that finish the last two lines, the second sees that the first has finished.
    """
    SaleCancellation.objects.select_for_update(no_key=True).get(pk=cancellation.pk)
    unfinished = [DurableWork.State.WAITING, DurableWork.State.RUNNING]
    if not cancellation.lines.filter(state__in=unfinished).exists():
        progress = progress_of(cancellation)
        refunded = cancellation.lines.exclude(refund=None).count()
        queue_sale_cancelled(cancellation, total=progress.total, refunded=refunded, failed=progress.failed)
