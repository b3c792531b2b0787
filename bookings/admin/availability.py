"""The load of teachers, and their pauses and days."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from accounts.models import Teacher
from bookings.models import Availability, LessonRequest, TeacherLoad
from jobs.read_only_admin import ReadOnlyAdmin
from payments.references import read_id


class SubjectFilter(admin.SimpleListFilter):
    """The teachers of one subject."""

    title = "subject"
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # Django's signature
        taught = Teacher.objects.filter(status=Teacher.Status.APPROVED, expertises__isnull=False)
        subjects = taught.values_list("expertises__subject", "expertises__subject__name").distinct()
        return [(str(pk), name) for pk, name in subjects.order_by("expertises__subject__name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TeacherLoad]) -> QuerySet[TeacherLoad]:
        chosen = read_id(self.value() or "")
        return queryset.filter(teacher__expertises__subject=chosen) if chosen else queryset


@admin.register(TeacherLoad)
class TeacherLoadAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Approved teachers and their work, most work first; the number of requests leads to them, where they are moved."""

    list_display = ["teacher", "total", "requests", "open_proposals", "upcoming_lessons", "pause"]
    list_filter = [SubjectFilter]
    list_select_related = ["teacher__availability"]
    search_fields = ["teacher__display_name__resembles", "teacher__user__email"]
    fields = readonly_fields = ["teacher", "total", "requests", "open_proposals", "upcoming_lessons", "pause"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TeacherLoad]:
        loads: QuerySet[TeacherLoad] = super().get_queryset(request)
        return loads.filter(Q(teacher__status=Teacher.Status.APPROVED) | Q(total__gt=0))

    @admin.display(description="Requests to answer", ordering="open_requests")
    def requests(self, load: TeacherLoad) -> str:
        query = urlencode({"with": str(load.teacher_id), "state__exact": LessonRequest.State.OPEN.value})
        address = f"{reverse('admin:bookings_lessonrequest_changelist')}?{query}"
        return format_html('<a class="underline" href="{}">{}</a>', address, load.open_requests)

    @admin.display(description="New requests")
    def pause(self, load: TeacherLoad) -> str:
        return _pause_words(getattr(load.teacher, "availability", None), timezone.localdate())


@admin.register(Availability)
class AvailabilityAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Pauses and days, which staff may set for a teacher."""

    list_display = ["teacher", "is_paused", "paused_until", "days"]
    list_filter = ["is_paused"]
    list_select_related = ["teacher"]
    search_fields = ["teacher__display_name__resembles", "teacher__user__email"]
    autocomplete_fields = ["teacher"]

    def get_readonly_fields(self, request: HttpRequest, obj: Availability | None = None) -> list[str]:
        return ["teacher"] if obj else []


def _pause_words(availability: Availability | None, today: date) -> str:
    if availability is None or not availability.is_pausing(today):
        return "taken"
    return f"paused until {availability.paused_until:%-d %b %Y}" if availability.paused_until else "paused"
