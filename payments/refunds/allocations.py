"""Assign refunds to order lines: to the ones that were requested, or to those of a refund made at Stripe."""

from __future__ import annotations

from collections.abc import Sequence

from payments.earnings.books import book_allocations
from payments.models import OrderLine, Refund, RefundAllocation
from payments.refunds.plan import (
    OverAllLines,
    PlannedPart,
    RefundExceedsRemaining,
    plan_refund,
    remaining_of,
    total_of,
)


def allocate_if_clear(refund: Refund, lines: Sequence[OrderLine]) -> bool:
    """Allocate a refund that names no line, if only one way is possible; False if staff must decide.

    It is clear if the refund takes all that is left of every line, or if only one line has anything left.
    """
    left = [line for line in lines if line.refundable.minor]
    remaining = remaining_of(lines)
    if remaining < refund.to_allocate or (len(left) > 1 and refund.to_allocate != remaining):
        return False
    # The amount says nothing about places: staff decide whether they are returned as well.
    book_allocations(refund, write_allocations(refund, propose_allocation(refund, lines)))
    return True


def propose_allocation(refund: Refund, lines: Sequence[OrderLine]) -> list[PlannedPart]:
    """The allocation proposed to staff for a refund that names no line: spread over what is left of each."""
    return plan_refund(lines, OverAllLines(refund.to_allocate))


def write_allocations(refund: Refund, parts: Sequence[PlannedPart]) -> list[RefundAllocation]:
    """Allocate a refund to lines; triggers count it on them. Call with the order locked.

    The caller books what is returned, with `book_allocations`, once it needs no other lock. Raises
    RefundExceedsRemaining if the parts are more than the refund.
    """
    total = total_of(parts)
    if refund.to_allocate < total:
        raise RefundExceedsRemaining(wanted=total, remaining=refund.to_allocate)
    allocations = RefundAllocation.objects.bulk_create(
        RefundAllocation(
            refund=refund,
            line=part.line,
            amount_minor=part.amount.minor,
            fee_minor=part.fee.minor,
            share_minor=part.share.minor,
            tax_minor=part.tax.minor,
            quantity=part.quantity,
        )
        for part in parts
    )
    refund.refresh_from_db(fields=["allocated_minor"])
    return allocations
