"""Requests in the admin: who was asked and why, and moving one to another teacher."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin, TabularInline

from accounts.models import Teacher, User
from accounts.places_and_languages import region_name
from bookings.admin.findings import history_of
from bookings.admin.move_form import MoveForm
from bookings.models import Lesson, LessonRequest
from bookings.moves import MoveRefused, move_request
from jobs.read_only_admin import ReadOnlyAdmin
from payments.references import read_id

_PERMISSION = "bookings.change_lessonrequest"


class WaitingFilter(admin.SimpleListFilter):
    """What staff look for: the requests for which they must find a teacher."""

    title = "waits for"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # Django's signature
        return [("staff", "Staff to find a teacher"), ("teacher", "A teacher's answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LessonRequest]) -> QuerySet[LessonRequest]:
        match self.value():
            case "staff":
                return queryset.filter(LessonRequest.waits_for_staff())
            case "teacher":
                return queryset.filter(state=LessonRequest.State.OPEN, teacher__isnull=False)
        return queryset


class TeacherFilter(admin.SimpleListFilter):
    """The requests of one teacher. Shown only once a link, such as that of the teacher's load, has chosen one."""

    title = "teacher"
    parameter_name = "with"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = read_id(request.GET.get(self.parameter_name, ""))
        teacher = Teacher.objects.filter(pk=chosen).first() if chosen else None
        return [(str(teacher.pk), teacher.display_name)] if teacher else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[LessonRequest]) -> QuerySet[LessonRequest]:
        chosen = read_id(self.value() or "")
        return queryset.filter(teacher=chosen) if chosen else queryset


class LessonInline(ReadOnlyAdmin, TabularInline):  # type: ignore[misc]  # unfold has no types
    model = Lesson
    fields = readonly_fields = ["starts", "state", "price"]
    show_change_link = True

    @admin.display(description="Starts")
    def starts(self, lesson: Lesson) -> Any:
        return lesson.starts_at


@admin.register(LessonRequest)
class LessonRequestAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Read-only, since requests change by rules; staff only move them."""

    list_display = ["created_at", "student", "teacher", "subject", "level", "country", "state", "asked_at"]
    exclude = ["region"]
    readonly_fields = ["country"]
    list_filter = [
        WaitingFilter,
        TeacherFilter,
        "state",
        "is_to_any_teacher",
        "meeting",
        "level",
        ("subject", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["student", "teacher", "subject"]
    search_fields = [
        "student__email",
        "student__full_name__resembles",
        "teacher__display_name__resembles",
        "goals__resembles",
    ]
    date_hierarchy = "created_at"
    inlines = [LessonInline]
    change_form_template = "bookings/admin/request_show.html"

    def get_urls(self) -> list[URLPattern]:
        move = path("<int:pk>/move/", self.admin_site.admin_view(self.move_view), name="bookings_lessonrequest_move")
        return [move, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        lesson_request = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if lesson_request is not None and self.has_view_permission(request, lesson_request):
            context |= {
                "lesson_request": lesson_request,
                "history": history_of(lesson_request),
                "can_move": lesson_request.is_open and request.user.has_perm(_PERMISSION),
            }
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, context)
        return answer

    def move_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show suitable teachers with their loads, and give the request to the one chosen."""
        if not request.user.has_perm(_PERMISSION):
            raise PermissionDenied
        lesson_request = self.get_object(request, str(pk))
        if lesson_request is None:
            raise Http404
        back = reverse("admin:bookings_lessonrequest_change", args=[pk])
        if not lesson_request.is_open:
            messages.error(request, "This request is no longer open.")
            return redirect(back)
        form = MoveForm(request.POST if request.method == "POST" else None, lesson_request=lesson_request)
        if form.is_valid() and self._move(request, lesson_request, form):
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Move this request to another teacher",
            "lesson_request": lesson_request,
            "form": form,
            "back": back,
        }
        return render(request, "bookings/admin/request_move.html", context, status=400 if form.errors else 200)

    def _move(self, request: HttpRequest, lesson_request: LessonRequest, form: MoveForm) -> bool:
        teacher = form.cleaned_data["to"]
        try:
            move_request(
                request_id=lesson_request.pk,
                to=teacher,
                by=cast("User", request.user),
                note=form.cleaned_data["note"],
            )
        except MoveRefused as refusal:
            form.add_error(None, str(refusal))
            return False
        self.log_change(request, lesson_request, f"Moved to {teacher}.")
        messages.success(request, f"{teacher} has the request now. Teacher and student get an email.")
        return True

    @admin.display(description="Student is in")
    def country(self, request: LessonRequest) -> str:
        return region_name(request.region) if request.region else "–"
