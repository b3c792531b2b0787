from django.contrib import admin
from unfold.admin import ModelAdmin

from jobs.read_only_admin import ReadOnlyAdmin
from tests.retreats.models import Retreat, Stay


@admin.register(Retreat)
class RetreatAdmin(ModelAdmin):
    list_display = ["title", "teacher", "starts_at", "places", "is_on_sale"]


@admin.register(Stay)
class StayAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ["retreat", "guest", "quantity", "revoked", "state"]
