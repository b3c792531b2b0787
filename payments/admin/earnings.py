"""When teachers' shares become available."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.models import Earning


@admin.register(Earning)
class EarningAdmin(ReadOnlyAdmin, ModelAdmin):
    """The share of each delivered line, pending or available. The ledger has what was booked."""

    list_display = ("line", "shown_order", "teacher", "shown_share", "matures_at", "matured_at")
    list_filter = ("currency", ("matured_at", admin.EmptyFieldListFilter))
    list_select_related = ("line__order", "teacher__user")
    search_fields = ("line__order__number", "teacher__user__email", "teacher__user__full_name")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("line", "shown_order", "teacher", "shown_share", "matures_at", "look_at", "matured_at")

    @display(description="Order")
    def shown_order(self, earning: Earning) -> str:
        return earning.line.order.number

    @display(description="Share")
    def shown_share(self, earning: Earning) -> str:
        return str(earning.share)
