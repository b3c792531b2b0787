"""Lessons in the admin: read-only, since their state changes by rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from bookings.credits import cancel_for_teacher
from bookings.handler import why_not_for_sale
from bookings.models import Lesson
from bookings.pay_links import PayLinkRefused, send_pay_link
from jobs.read_only_admin import ReadOnlyAdmin
from money import Money
from payments.order_links import order_link, with_order_numbers

_MAY_SEND = "bookings.change_lessonrequest"


@admin.register(Lesson)
class LessonAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["starts", "teacher", "student", "subject", "amount", "state", "order"]
    list_filter = ["state", "is_by_credit", "currency", "is_online"]
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
            "is_by_credit",
            "credit_ended_at",
            "amount",
        ),
        *("is_online", "place", "policy", "proposed_at", "confirmed_at", "cancelled_at", "cancel_reason"),
    ]

    readonly_fields = ["starts", "ends", "order", "amount"]
    actions = ["give_credits_back"]

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """The people who may act on lessons, which cannot be edited."""
        return self.role_may_change(request)

    @admin.action(description="Cancel lessons taken with a credit, and give the credits back", permissions=["cancel"])
    def give_credits_back(self, request: HttpRequest, lessons: QuerySet[Lesson]) -> None:
        """For lessons that did not take place as agreed, as long as their teachers have not earned the credit."""
        for lesson in lessons:
            if cancel_for_teacher(lesson_id=lesson.pk, reason="Cancelled by our staff.") is None:
                self.message_user(request, f"{lesson} has no credit that can come back.", messages.WARNING)
            else:
                self.message_user(request, f"{lesson} is cancelled, and its student has the credit back.")

    change_form_template = "bookings/admin/lesson_show.html"

    def get_urls(self) -> list[URLPattern]:
        send = path("<int:pk>/pay-link/", self.admin_site.admin_view(self.send_link), name="bookings_lesson_pay_link")
        return [send, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        lesson = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if lesson is not None:
            may_send = request.user.has_perm(_MAY_SEND) and not why_not_for_sale(lesson)
            context |= {"lesson": lesson, "can_send_link": may_send}
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, context)
        return answer

    def send_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mail the student the link to pay this lesson, once more."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(_MAY_SEND):
            raise PermissionDenied
        try:
            lesson = send_pay_link(lesson_id=pk)
        except Lesson.DoesNotExist as error:
            raise Http404 from error
        except PayLinkRefused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, lesson, "Sent the pay link again.")
            messages.success(request, f"The link is on its way to {lesson.student.email}.")
        return redirect("admin:bookings_lesson_change", pk)

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
