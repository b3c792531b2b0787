"""The refunds of an order as staff read them: figures, who and why, and every change with its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch
from django.urls import reverse

from payments.admin.refund_repairs import can_be_taken_back
from payments.models import Order, Refund, RefundAllocation, RefundChange

# Stripe's values of a refund's `pending_reason`, explained.
_PENDING_REASONS: Mapping[str, str] = {
    "processing": "the student's bank or payment method takes its time",
    "insufficient_funds": "our balance at Stripe is too low; Stripe sends it once there is enough",
    "charge_pending": "the student's payment has not arrived yet; the refund follows it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRow:
    """One refund for the template."""

    refund: Refund
    # Each with the address of the page that takes back what the student still has; empty if there is nothing.
    parts: Sequence[tuple[RefundAllocation, str]]
    changes: Sequence[tuple[RefundChange, str]]
    colour: str
    # The page that makes it again; empty if that is not possible.
    again_url: str


def history_of(order: Order) -> list[RefundRow]:
    """The order's refunds, the latest first. In a constant number of queries."""
    refunds = (
        Refund.objects.filter(payment__order=order)
        .select_related("requested_by", "payment")
        .prefetch_related(
            Prefetch("changes", RefundChange.objects.select_related("by")),
            Prefetch("allocations", RefundAllocation.objects.select_related("line__teacher").order_by("pk")),
        )
        .order_by("-pk")
    )
    return [_row(refund) for refund in refunds]


def explained(change: RefundChange) -> str:
    """The note of a change; Stripe's reason for a delay is explained."""
    meaning = _PENDING_REASONS.get(change.note)
    return f"{change.note}: {meaning}" if meaning else change.note


def _row(refund: Refund) -> RefundRow:
    colours = {Refund.Status.SUCCEEDED: "success", Refund.Status.REQUIRES_ACTION: "warning"}
    return RefundRow(
        refund=refund,
        parts=[(part, _take_back_url(refund, part)) for part in refund.allocations.all()],
        changes=[(change, explained(change)) for change in refund.changes.all()],
        colour="danger" if not refund.is_live else colours.get(Refund.Status(refund.status), "info"),
        again_url=_again_url(refund),
    )


def _again_url(refund: Refund) -> str:
    return "" if refund.is_live else refund.get_again_url()


def _take_back_url(refund: Refund, part: RefundAllocation) -> str:
    if not can_be_taken_back(refund, part):
        return ""
    return reverse("admin:payments_refund_take_back", args=[refund.pk, part.pk])
