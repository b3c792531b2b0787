"""Subscriptions and what was paid for them, in the admin. Only to look at: Stripe decides what they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.stripe_links import dashboard_url
from subscriptions.admin.figures import churn, figures_by_currency
from subscriptions.models import Subscription, SubscriptionChange, SubscriptionPeriod


class ChangeInline(ReadOnlyAdmin, TabularInline):
    """The history of a subscription, the oldest first."""

    model = SubscriptionChange
    verbose_name_plural = "history"
    fields = ("at", "kind", "price", "detail")
    extra = 0


class PeriodInline(ReadOnlyAdmin, TabularInline):
    """What was paid for it."""

    model = SubscriptionPeriod
    verbose_name_plural = "paid periods"
    fields = ("kind", "starts_at", "ends_at", "amount_minor", "currency", "credits", "stripe_invoice_id")
    extra = 0


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
        if not row.stripe_subscription_id:
            return "–"
        url = dashboard_url(row.stripe_subscription_id, livemode=settings.STRIPE_LIVE_MODE)
        return format_html('<a class="underline" href="{}">{}</a>', url, row.stripe_subscription_id)


@admin.register(SubscriptionPeriod)
class SubscriptionPeriodAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every period that was paid for, or free in a trial."""

    list_display = ("subscription", "kind", "shown_amount", "credits", "starts_at", "ends_at", "closed_at")
    list_filter = ("kind", "currency")
    list_select_related = ("subscription__user", "subscription__price__plan", "price__plan")
    search_fields = ("subscription__user__email", "stripe_invoice_id")

    @display(description="Paid")
    def shown_amount(self, period: SubscriptionPeriod) -> str:
        return str(period.amount)
