"""Cancellations of all that was sold of an item: how far they are, and what failed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.models import DurableWork
from jobs.read_only_admin import ReadOnlyAdmin
from payments.cancellations.sales import failures_of, progress_of
from payments.models import LineCancellation, Order, Refund, SaleCancellation


@admin.register(SaleCancellation)
class SaleCancellationAdmin(ReadOnlyAdmin, ModelAdmin):
    """Read-only: the pages of what was sold start a cancellation, and workers carry it out."""

    list_display = ("title", "teacher", "shown_progress", "requested_by", "created_at")
    list_filter = ("domain", "created_at")
    list_select_related = ("teacher", "requested_by")
    search_fields = ("title__resembles", "teacher__display_name__resembles", "reference")
    date_hierarchy = "created_at"
    fields = readonly_fields = (
        "title",
        "domain",
        "reference",
        "teacher",
        "reason",
        "requested_by",
        "created_at",
        "exact_progress",
        "failures",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SaleCancellation]:
        done = Q(lines__state=DurableWork.State.DONE)
        rows: QuerySet[SaleCancellation] = super().get_queryset(request)
        return rows.annotate(line_count=Count("lines"), done_count=Count("lines", filter=done))

    @display(description="Cancelled")
    def shown_progress(self, cancellation: Any) -> str:
        return f"{cancellation.done_count} of {cancellation.line_count}"

    @display(description="Progress")
    def exact_progress(self, cancellation: SaleCancellation) -> str:
        progress = progress_of(cancellation)
        return (
            f"{progress.done} of {progress.total} orders cancelled, {progress.confirmed} refunds confirmed by Stripe, "
            f"{progress.failed} failed"
        )

    @display(description="Failures")
    def failures(self, cancellation: SaleCancellation) -> str:
        rows = [
            (failure.line.order.number, failure.refund.failure_reason if failure.refund else failure.last_error[-300:])
            for failure in failures_of(cancellation)
        ]
        return format_html_join("", "<p>Order {}: {}</p>", rows) or "–"


@admin.register(LineCancellation)
class LineCancellationAdmin(DurableWorkAdmin):
    """The single orders of such cancellations. Staff retry here what was given up."""

    list_display = ("order", "line", "shown_refund", *DurableWorkAdmin.list_display)
    list_select_related = ("line__order", "refund__payment__order")
    search_fields = ("line__order__number", "cancellation__title__resembles")
    fields = readonly_fields = ("cancellation", "order", "line", "refund", *DurableWorkAdmin.readonly_fields)

    @display(description="Order", ordering="line__order__number")
    def order(self, work: LineCancellation) -> Order:
        return work.line.order

    @display(description="Refund")
    def shown_refund(self, work: LineCancellation) -> str:
        refund: Refund | None = work.refund
        return f"{refund.amount}, {refund.get_status_display()}" if refund else "–"
