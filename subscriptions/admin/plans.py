"""Plans and their prices in the admin. Staff archive a price and add another; no amount is ever changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from subscriptions.models import Plan, PlanPrice


@admin.register(Plan)
class PlanAdmin(ModelAdmin):
    """What is for sale. What subscribers have subscribed to goes on when a plan is taken off sale."""

    list_display = ("name", "is_on_sale", "trial_days", "grants_courses", "position")
    list_filter = ("is_on_sale", "grants_courses")
    search_fields = ("name", "summary")
    prepopulated_fields = {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # Django's signature
        """A plan that has prices stays."""
        return obj is not None and not obj.prices.exists() and super().has_delete_permission(request, obj)


@admin.register(PlanPrice)
class PlanPriceAdmin(ModelAdmin):
    """Each price of each plan."""

    list_display = ("plan", "shown_amount", "interval", "credits", "is_active", "stripe_price_id")
    list_filter = ("plan", "interval", "currency", "is_active")
    list_select_related = ("plan",)
    search_fields = ("plan__name", "stripe_price_id")
    fields = ("plan", "interval", "currency", "amount_minor", "credits", "credit_value_minor", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: PlanPrice | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """All but whether it is offered: people subscribed to what it was."""
        return tuple(name for name in self.fields if name != "is_active") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Prices stay: they are archived."""
        return False

    @display(description="Amount")
    def shown_amount(self, price: PlanPrice) -> str:
        return str(price.amount)
