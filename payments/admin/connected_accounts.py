"""Teachers' Stripe accounts, and Stripe's payouts from there to their banks."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.models import BankPayout, ConnectedAccount


@admin.register(ConnectedAccount)
class ConnectedAccountAdmin(ReadOnlyAdmin, ModelAdmin):
    """Teachers' Stripe accounts, as Stripe last reported them."""

    list_display = ("stripe_account_id", "teacher", "country", "state", "state_as_of", "replaced_at")
    list_filter = ("api", "can_pay_out", "can_receive_transfers", "country")
    list_select_related = ("teacher",)
    search_fields = ("stripe_account_id", "teacher__display_name__resembles", "teacher__user__email")
    ordering = ("-pk",)
    readonly_fields = (
        "stripe_account_id",
        "teacher",
        "api",
        "country",
        "state",
        "are_details_submitted",
        "can_receive_transfers",
        "can_pay_out",
        "disabled_reason",
        "requirements_due",
        "state_as_of",
        "created_at",
        "replaced_at",
        "closed_at",
    )
    fields = readonly_fields


@admin.register(BankPayout)
class BankPayoutAdmin(ReadOnlyAdmin, ModelAdmin):
    """Stripe's payouts from teachers' accounts to their banks."""

    list_display = ("stripe_payout_id", "account", "shown_amount", "status", "arrives_on", "failure_message")
    list_filter = ("status", "is_automatic")
    list_select_related = ("account__teacher",)
    search_fields = ("stripe_payout_id", "account__stripe_account_id", "account__teacher__display_name__resembles")
    readonly_fields = (
        "stripe_payout_id",
        "account",
        "shown_amount",
        "status",
        "is_automatic",
        "arrives_on",
        "failure_message",
        "state_as_of",
    )
    fields = readonly_fields

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, bank_payout: BankPayout) -> str:
        return str(bank_payout.amount)
