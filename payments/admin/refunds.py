"""Refunds and the lines they belong to."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from payments.models import Order, Refund, RefundAllocation


class RefundAllocationInline(ReadOnlyAdmin, TabularInline):
    """How much of the refund belongs to which line, and how platform and teacher share it."""

    model = RefundAllocation
    fields = readonly_fields = ("line", "shown_amount", "shown_fee", "shown_share", "shown_tax", "quantity")
    extra = 0

    @display(description="Amount")
    def shown_amount(self, allocation: RefundAllocation) -> str:
        return str(allocation.amount)

    @display(description="Platform gives back")
    def shown_fee(self, allocation: RefundAllocation) -> str:
        return str(allocation.fee)

    @display(description="Teacher gives back")
    def shown_share(self, allocation: RefundAllocation) -> str:
        return str(allocation.share)

    @display(description="Tax within")
    def shown_tax(self, allocation: RefundAllocation) -> str:
        return str(allocation.tax)


@admin.register(Refund)
class RefundAdmin(DurableWorkAdmin):
    """Refunds. Staff can retry the sending here, but cannot enter amounts."""

    list_display = ("order", "shown_amount", "shown_status", "reason", *DurableWorkAdmin.list_display)
    list_filter = ("status", "reason", *DurableWorkAdmin.list_filter)
    list_select_related = ("payment__order",)
    search_fields = ("payment__order__number", "stripe_refund_id", "payment__stripe_payment_intent_id")
    readonly_fields = (
        "order",
        "payment",
        "shown_amount",
        "shown_to_allocate",
        "status",
        "reason",
        "note",
        "requested_by",
        "stripe_refund_id",
        "idempotency_key",
        "pending_reason",
        "failure_reason",
        "succeeded_at",
        "ended_at",
        *DurableWorkAdmin.readonly_fields,
    )
    fields = readonly_fields
    inlines = (RefundAllocationInline,)

    @display(description="Order", ordering="payment__order__number")
    def order(self, refund: Refund) -> Order:
        return refund.payment.order

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, refund: Refund) -> str:
        return str(refund.amount)

    @display(description="Not allocated to a line")
    def shown_to_allocate(self, refund: Refund) -> str:
        return str(refund.to_allocate)

    @display(
        description="Status",
        ordering="status",
        label={
            Refund.Status.REQUESTED: "info",
            Refund.Status.PENDING: "info",
            Refund.Status.REQUIRES_ACTION: "warning",
            Refund.Status.SUCCEEDED: "success",
            Refund.Status.FAILED: "danger",
            Refund.Status.CANCELED: "danger",
        },
    )
    def shown_status(self, refund: Refund) -> tuple[str, str]:
        return refund.status, refund.get_status_display()
