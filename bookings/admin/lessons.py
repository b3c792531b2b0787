"""Lessons in the admin: read-only, since their state changes by rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from bookings.models import Lesson
from jobs.read_only_admin import ReadOnlyAdmin
from money import Money
from payments.order_links import order_link, with_order_numbers


@admin.register(Lesson)
class LessonAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["starts", "teacher", "student", "subject", "amount", "state", "order"]
    list_filter = ["state", "currency", "is_online"]
    list_select_related = ["teacher", "student", "request__subject"]
    search_fields = [
        "teacher__display_name__resembles",
        "student__email",
        "student__full_name__resembles",
        "=order_line_id",
    ]
    ordering = ["-period"]
    # Listed, so that no form field is built for the others.
    fields = [
        *(
            "request",
            "teacher",
            "student",
            "starts",
            "ends",
            "state",
            "held_until",
            "order",
            "amount",
        ),
        *("is_online", "place", "policy", "proposed_at", "confirmed_at", "cancelled_at", "cancel_reason"),
    ]

    readonly_fields = ["starts", "ends", "order", "amount"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lesson]:
        lessons: QuerySet[Lesson] = super().get_queryset(request)
        return with_order_numbers(lessons)

    @admin.display(description="Order")
    def order(self, lesson: Any) -> str:
        return order_link(lesson.order_id, lesson.order_number)

    @admin.display(description="Ends")
    def ends(self, lesson: Lesson) -> Any:
        return lesson.ends_at

    @admin.display(description="Starts", ordering="period")
    def starts(self, lesson: Lesson) -> Any:
        return lesson.starts_at

    @admin.display(description="Subject")
    def subject(self, lesson: Lesson) -> str:
        return lesson.request.subject.name

    @admin.display(description="Price")
    def amount(self, lesson: Lesson) -> Money:
        return lesson.price
