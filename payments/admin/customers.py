"""Students' customers at Stripe."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from payments.admin import words
from payments.models import Customer


@admin.register(Customer)
class CustomerAdmin(DurableWorkAdmin):
    """Whom Stripe knows under which id. Saved cards are only at Stripe."""

    list_display = ("user", "at_stripe", "state_badge", "error_line", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "stripe_customer_id")
    readonly_fields = ("user", "at_stripe", "erase_requested_at", *DurableWorkAdmin.readonly_fields)

    @display(description="At Stripe")
    def at_stripe(self, customer: Customer) -> str:
        return words.stripe_link(customer.stripe_customer_id, livemode=settings.STRIPE_LIVE_MODE)
