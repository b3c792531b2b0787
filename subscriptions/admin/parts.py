"""What paid periods were divided into, in the admin. Only to look at: each part ends by its rules."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from subscriptions.models import AccessShare, AccessSlice, LessonCredit


@admin.register(LessonCredit)
class LessonCreditAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every lesson credit, and what it was used for."""

    list_display = ("period", "number", "shown_value", "state", "usable_until", "title", "teacher")
    list_filter = ("state", "is_carried", "currency")
    list_select_related = ("period__subscription__user", "period__subscription__price__plan", "teacher")
    search_fields = (
        "=used_for",
        "=period__stripe_invoice_id",
        "period__subscription__user__email",
        "teacher__display_name__resembles",
    )

    @display(description="Value")
    def shown_value(self, credit: LessonCredit) -> str:
        return str(credit.value)


class AccessShareInline(ReadOnlyAdmin, TabularInline):
    """What each teacher earned of the slice."""

    model = AccessShare
    fields = readonly_fields = ("teacher", "points", "shown_share", "shown_fee")
    extra = 0

    @display(description="Teacher's share")
    def shown_share(self, share: AccessShare) -> str:
        return str(share.share)

    @display(description="Commission")
    def shown_fee(self, share: AccessShare) -> str:
        return str(share.fee)


@admin.register(AccessSlice)
class AccessSliceAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every slice of access, and how it was shared."""

    list_display = ("period", "number", "shown_amount", "state", "starts_at", "ends_at")
    list_filter = ("state", "currency")
    list_select_related = ("period__subscription__user", "period__subscription__price__plan")
    search_fields = ("=period__stripe_invoice_id", "period__subscription__user__email")
    inlines = (AccessShareInline,)

    @display(description="Amount")
    def shown_amount(self, part: AccessSlice) -> str:
        return str(part.amount)
