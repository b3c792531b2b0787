"""Refunds and the lines they belong to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin.allocation_pages import AllocationPages
from payments.admin.refund_filters import AllocationFilter
from payments.admin.refund_repairs import RepairPages
from payments.models import Order, Refund, RefundAllocation


class RefundAllocationInline(ReadOnlyAdmin, TabularInline):
    """How much of the refund belongs to which line, and how platform and teacher share it."""

    model = RefundAllocation
    fields = readonly_fields = ("line", "shown_amount", "shown_fee", "shown_share", "shown_tax", "quantity")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefundAllocation]:
        allocations: QuerySet[RefundAllocation] = super().get_queryset(request)
        return allocations.select_related("line")

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
class RefundAdmin(AllocationPages, RepairPages):
    """Refunds. Staff can retry the sending here, and allocate those made at Stripe; they refund on the order's page."""

    list_display = ("order", "shown_amount", "shown_status", "reason", "allocation", "error_line", "created_at")
    list_filter = ("status", AllocationFilter, "reason", *DurableWorkAdmin.list_filter)
    list_select_related = ("payment__order",)
    search_fields = ("payment__order__number", "stripe_refund_id", "payment__stripe_payment_intent_id")
    readonly_fields = (
        "order",
        "payment",
        "shown_amount",
        "shown_to_allocate",
        "allocation",
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
    list_before_template = "payments/admin/_refunds_waiting.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Say above the list how many refunds wait to be allocated."""
        waiting = {"waiting": Refund.objects.to_allocate().count()}
        answer: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **waiting})
        return answer

    @display(description="Order", ordering="payment__order__number")
    def order(self, refund: Refund) -> Order:
        return refund.payment.order

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, refund: Refund) -> str:
        return str(refund.amount)

    @display(description="Lines")
    def allocation(self, refund: Refund) -> str:
        """A link to the page on which staff allocate it, if that is to be done."""
        if not refund.needs_allocation:
            return "–"
        url = reverse("admin:payments_refund_allocate", args=[refund.pk])
        return format_html('<a class="underline" href="{}">Allocate</a>', url)

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
