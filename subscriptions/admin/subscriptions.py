"""Subscriptions and what was paid for them, in the admin. Only to look at: Stripe decides what they are."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from subscriptions.models import Subscription, SubscriptionPeriod


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every subscription, the newest first."""

    list_display = ("user", "price", "status", "cancel_at_period_end", "period_ends_at", "created_at")
    list_filter = ("status", "cancel_at_period_end", "price__plan", "end_reason")
    list_select_related = ("user", "price__plan")
    search_fields = ("user__email", "user__full_name__resembles", "stripe_subscription_id")
    date_hierarchy = "created_at"


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
