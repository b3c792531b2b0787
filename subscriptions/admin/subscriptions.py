"""Subscriptions and what was paid for them, in the admin. Only to look at: Stripe decides what they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.order_links import order_link
from payments.stripe_links import dashboard_url
from subscriptions.admin.figures import churn, figures_by_currency
from subscriptions.models import Subscription, SubscriptionChange, SubscriptionPeriod


class ChangeInline(ReadOnlyAdmin, TabularInline):
    """The history of a subscription, the oldest first."""

    model = SubscriptionChange
    verbose_name_plural = "history"
    fields = ("at", "kind", "price", "detail")
    extra = 0


class PeriodColumns:
    """How a paid period is shown beside others."""

    @display(description="Paid")
    def shown_amount(self, period: SubscriptionPeriod) -> str:
        return str(period.amount)

    @display(description="Order")
    def order(self, period: SubscriptionPeriod) -> str:
        """A link to the order with its receipt; none where nothing was paid."""
        return order_link(period.line.order_id, period.line.order.number) if period.line else "–"

    @display(description="Invoice at Stripe")
    def invoice(self, period: SubscriptionPeriod) -> str:
        return _link_to_stripe(period.stripe_invoice_id)


class PeriodInline(PeriodColumns, ReadOnlyAdmin, TabularInline):
    """What was paid for it."""

    model = SubscriptionPeriod
    verbose_name_plural = "paid periods"
    fields = readonly_fields = ("kind", "shown_amount", "starts_at", "ends_at", "credits", "order", "invoice")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubscriptionPeriod]:
        """With the orders that the links name."""
        periods: QuerySet[SubscriptionPeriod] = super().get_queryset(request)
        return periods.select_related("line__order")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every subscription, the newest first."""

    list_display = ("user", "price", "status", "cancel_at_period_end", "period_ends_at", "created_at")
    list_filter = ("status", "cancel_at_period_end", "price__plan", "end_reason")
    list_select_related = ("user", "price__plan")
    search_fields = ("user__email", "user__full_name__resembles", "stripe_subscription_id")
    date_hierarchy = "created_at"
    inlines = (ChangeInline, PeriodInline)
    list_before_template = "subscriptions/admin/_figures.html"
    readonly_fields = ("at_stripe",)
    fields = (
        "user",
        "price",
        "next_price",
        "status",
        "period_starts_at",
        "period_ends_at",
        "trial_ends_at",
        "cancel_at_period_end",
        "past_due_since",
        "grace_until",
        "started_at",
        "ended_at",
        "end_reason",
        "at_stripe",
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list below its figures."""
        figures = {"figures": figures_by_currency(), "churn": churn()}
        answer: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **figures})
        return answer

    @display(description="At Stripe")
    def at_stripe(self, row: Subscription) -> str:
        """A link to the subscription in Stripe's Dashboard."""
        return _link_to_stripe(row.stripe_subscription_id)


@admin.register(SubscriptionPeriod)
class SubscriptionPeriodAdmin(PeriodColumns, ReadOnlyAdmin, ModelAdmin):
    """Every period that was paid for, or free in a trial."""

    list_display = ("subscription", "kind", "shown_amount", "credits", "starts_at", "ends_at", "closed_at", "order")
    list_filter = ("kind", "currency")
    list_select_related = ("subscription__user", "subscription__price__plan", "price__plan", "line__order")
    search_fields = ("subscription__user__email", "stripe_invoice_id")
    readonly_fields = ("order", "invoice")
    fields = ("subscription", "kind", "price", "starts_at", "ends_at", "credits", "order", "invoice", "closed_at")


def _link_to_stripe(object_id: str | None) -> str:
    if not object_id:
        return "–"
    url = dashboard_url(object_id, livemode=settings.STRIPE_LIVE_MODE)
    return format_html('<a class="underline" href="{}">{}</a>', url, object_id)
