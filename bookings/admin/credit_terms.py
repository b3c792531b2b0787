"""Which teachers take lesson credits, and on which terms. Only to look at: teachers agree themselves."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from bookings.models import CreditTerms
from jobs.read_only_admin import ReadOnlyAdmin


@admin.register(CreditTerms)
class CreditTermsAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["teacher", "longest_minutes", "agreed_at"]
    list_select_related = ["teacher"]
    search_fields = ["teacher__display_name__resembles"]
    ordering = ["teacher"]
