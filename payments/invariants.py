"""The invariants of paid orders and their refunds; those of payouts are beside what pays out.

Triggers and checks enforce most of them. These queries verify them after a restore, a migration or a manual repair, too.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from jobs.invariants import Invariant
from payments.discounts import invariants as discounts
from payments.disputes import invariants as disputes
from payments.documents import invariants as documents
from payments.earnings import invariants as earnings
from payments.gifts import invariants as gifts
from payments.models import LineCancellation, Order, OrderLine, Payment, Refund, RefundAllocation, RefundChange
from payments.payouts import invariants as payouts
from payments.reconciliation import invariants as reconciliation
from payments.refunds.states import ENDED, RefundStatus
from payments.tax import invariants as tax

# Each counter of a line, and the field of its allocations that it sums.
_COUNTERS = {
    "refunded_minor": "amount_minor",
    "refunded_fee_minor": "fee_minor",
    "refunded_share_minor": "share_minor",
    "refunded_tax_minor": "tax_minor",
    "refunded_quantity": "quantity",
}


class LinesCountTheirRefunds:
    name = "payments.lines_count_their_refunds"
    promise = "Each order line counts exactly what live refunds allocate to it: amount, fee, share, tax and places."

    def breaking(self) -> list[int]:
        live = RefundAllocation.objects.filter(line=OuterRef("pk")).exclude(refund__status__in=ENDED)
        sums = {f"live_{field}": _sum_of(live, by="line", field=field) for field in _COUNTERS.values()}
        is_wrong = Q()
        for counter, field in _COUNTERS.items():
            is_wrong |= ~Q(**{counter: F(f"live_{field}")})
        return _ids(OrderLine.objects.annotate(**sums).filter(is_wrong))


class PaymentsCountTheirRefunds:
    name = "payments.payments_count_their_refunds"
    promise = "Each payment counts exactly its live refunds."

    def breaking(self) -> list[int]:
        return _ids(Payment.objects.annotate(live=_live_refunds()).exclude(live=F("refunded_minor")))


class RefundsNeverExceedTheirPayment:
    name = "payments.refunds_never_exceed_their_payment"
    promise = "The live refunds of a payment are never more than the payment."

    def breaking(self) -> list[int]:
        return _ids(Payment.objects.annotate(live=_live_refunds()).filter(live__gt=F("amount_minor")))


class AllocationsAreFeeAndShare:
    name = "payments.allocations_are_fee_and_share"
    promise = "Fee and share of each allocation, and its tax if the platform owes that, add up to its amount; the tax is within it."

    def breaking(self) -> list[int]:
        rest = F("fee_minor") + F("share_minor")
        is_split = Q(tax_minor__lte=F("amount_minor")) & (
            Q(line__platform_tax_minor=0, amount_minor=rest)
            | Q(line__platform_tax_minor__gt=0, amount_minor=rest + F("tax_minor"))
        )
        return _ids(RefundAllocation.objects.exclude(is_split))


class RefundsAreAllocated:
    name = "payments.refunds_are_allocated"
    promise = (
        "Each refund counts exactly its allocations. All of it is allocated to lines, unless it was made at Stripe or "
        "refunds a second payment."
    )

    def breaking(self) -> list[int]:
        allocations = RefundAllocation.objects.filter(refund=OuterRef("pk"))
        refunds = Refund.objects.annotate(parts=_sum_of(allocations, by="refund", field="amount_minor"))
        is_whole = Q(allocated_minor=F("amount_minor")) | Q(reason__in=Refund.REASONS_WITHOUT_LINES)
        return _ids(refunds.exclude(is_whole & Q(parts=F("allocated_minor"))))


class FullyRefundedLinesKeepNothing:
    name = "payments.fully_refunded_lines_keep_nothing"
    promise = "A line that was refunded in full keeps no fee, no share and no tax."

    def breaking(self) -> list[int]:
        keeps_nothing = Q(
            refunded_fee_minor=F("platform_fee_minor"),
            refunded_share_minor=F("teacher_share_minor"),
            refunded_tax_minor=F("tax_minor"),
        )
        return _ids(OrderLine.objects.filter(refunded_minor=F("amount_minor")).exclude(keeps_nothing))


class RefundsMatchTheirStatus:
    name = "payments.refunds_match_their_status"
    promise = (
        "A refund that Stripe confirmed has Stripe's id, one that succeeded the time of that, one that failed or was "
        "cancelled the time it ended, and one that is only requested none of these."
    )

    def breaking(self) -> list[int]:
        status = Refund.Status
        is_right = (
            Q(status=status.REQUESTED, stripe_refund_id=None, succeeded_at=None, ended_at=None)
            | Q(
                status__in=[status.PENDING, status.REQUIRES_ACTION],
                stripe_refund_id__isnull=False,
                succeeded_at=None,
                ended_at=None,
            )
            | Q(
                status=status.SUCCEEDED,
                stripe_refund_id__isnull=False,
                succeeded_at__isnull=False,
                ended_at__isnull=True,
            )
            # A refund that Stripe refused has no id; one that had succeeded before keeps that time.
            | Q(status__in=ENDED, ended_at__isnull=False)
        )
        return _ids(Refund.objects.exclude(is_right))


class PaidLinesAreDecided:
    name = "payments.paid_lines_are_decided"
    promise = "Each line of a paid order was delivered, found undeliverable, or revoked later."

    def breaking(self) -> list[int]:
        undecided = [OrderLine.State.RESERVED, OrderLine.State.RELEASED]
        return _ids(OrderLine.objects.filter(order__state=Order.State.COMPLETED, state__in=undecided))


class UndeliverableLinesAreRefunded:
    name = "payments.undeliverable_lines_are_refunded"
    promise = (
        "A paid line that could not be delivered is refunded in full, unless its refund failed, which raises an alert."
    )

    def breaking(self) -> list[int]:
        requested = RefundAllocation.objects.filter(line=OuterRef("pk"), amount_minor=OuterRef("amount_minor"))
        lines = OrderLine.objects.filter(state=OrderLine.State.UNDELIVERABLE, amount_minor__gt=0)
        return _ids(lines.exclude(Exists(requested)).exclude(refunded_minor=F("amount_minor")))


class RefundsRecordTheirChanges:
    name = "payments.refunds_record_their_changes"
    promise = "The last recorded status of each refund is the status it has."

    def breaking(self) -> list[int]:
        statuses = RefundChange.objects.filter(refund=OuterRef("pk"), kind__in=list(RefundStatus))
        refunds = Refund.objects.annotate(last=Subquery(statuses.order_by("-pk").values("kind")[:1]))
        return _ids(refunds.filter(Q(last=None) | ~Q(last=F("status"))))


class ReturnedUnitsAreRevoked:
    name = "payments.returned_units_are_revoked"
    promise = "A delivered line has lost at least the units that its succeeded refunds return, besides those that no refund does."

    def breaking(self) -> list[int]:
        succeeded = RefundAllocation.objects.filter(line=OuterRef("pk"), refund__status=Refund.Status.SUCCEEDED)
        lines = OrderLine.objects.filter(state__in=[OrderLine.State.FULFILLED, OrderLine.State.REVOKED])
        returned = lines.annotate(returned=_sum_of(succeeded, by="line", field="quantity"))
        # Once all are revoked, there is nothing that a refund of an unreturned one could revoke besides.
        is_missing = Q(returned__gt=F("revoked_quantity")) | Q(
            state=OrderLine.State.FULFILLED, returned__gt=F("revoked_quantity") - F("unreturned_quantity")
        )
        return _ids(returned.filter(is_missing))


class CancelledLinesAreRevoked:
    name = "payments.cancelled_lines_are_revoked"
    promise = (
        "Each line that was cancelled together with all that was sold of an item is revoked, and its refund was requested "
        "or nothing was left to refund."
    )

    def breaking(self) -> list[int]:
        done = LineCancellation.objects.filter(state=LineCancellation.State.DONE)
        unrevoked = done.exclude(line__state=OrderLine.State.REVOKED)
        # What a refund that failed gives back to the line is an alert of its own.
        left = F("line__refunded_minor") + F("line__disputed_minor")
        unrefunded = done.filter(refund=None, line__amount_minor__gt=left, line__refunded_quantity=0)
        return list((unrevoked | unrefunded).order_by("pk").values_list("line", flat=True))


INVARIANTS: tuple[Invariant, ...] = (
    PaidLinesAreDecided(),
    UndeliverableLinesAreRefunded(),
    LinesCountTheirRefunds(),
    PaymentsCountTheirRefunds(),
    RefundsNeverExceedTheirPayment(),
    AllocationsAreFeeAndShare(),
    RefundsAreAllocated(),
    FullyRefundedLinesKeepNothing(),
    RefundsMatchTheirStatus(),
    RefundsRecordTheirChanges(),
    ReturnedUnitsAreRevoked(),
    CancelledLinesAreRevoked(),
    *discounts.INVARIANTS,
    *disputes.INVARIANTS,
    *documents.INVARIANTS,
    *earnings.INVARIANTS,
    *gifts.INVARIANTS,
    *reconciliation.INVARIANTS,
    *payouts.INVARIANTS,
    *tax.INVARIANTS,
)


def _live_refunds() -> Coalesce:
    """The sum of a payment's live refunds."""
    live = Refund.objects.live().filter(payment=OuterRef("pk"))
    return _sum_of(live, by="payment", field="amount_minor")


def _sum_of(rows: QuerySet[Refund] | QuerySet[RefundAllocation], *, by: str, field: str) -> Coalesce:
    """The sum over the rows of one parent, zero if it has none."""
    return Coalesce(Subquery(rows.order_by().values(by).annotate(total=Sum(field)).values("total")), 0)


def _ids(rows: QuerySet[OrderLine] | QuerySet[Payment] | QuerySet[Refund] | QuerySet[RefundAllocation]) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))
