"""Take a role in an emergency, see who has one, end it, and read what was done under it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.roles import ROLES
from jobs.read_only_admin import ReadOnlyAdmin
from operations.emergency.report import changes_under
from operations.emergency.taking import DURATIONS, PERMISSION, AccessIsRunning, end_access, take_role
from operations.models import EmergencyAccess


class TakeForm(forms.Form):
    """Which role, for how long, and why."""

    role = forms.ChoiceField(choices=[(name, name.capitalize()) for name in ROLES], widget=UnfoldAdminSelectWidget)
    minutes = forms.TypedChoiceField(
        label="For",
        coerce=int,
        choices=[(int(one.total_seconds() // 60), f"{int(one.total_seconds() // 60)} minutes") for one in DURATIONS],
        widget=UnfoldAdminSelectWidget,
        help_text="It ends by itself. It cannot be prolonged: take another one then, which alerts again.",
    )
    reason = forms.CharField(
        min_length=10, max_length=1000, widget=UnfoldAdminTextareaWidget, help_text="All staff who get alerts read it."
    )


@admin.register(EmergencyAccess)
class EmergencyAccessAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every emergency access there was. The page of one says what was done under it."""

    list_display = ("user", "role", "started_at", "shown_end", "shown_state", "reason")
    list_filter = ("role", "started_at")
    list_select_related = ("user", "ended_by")
    search_fields = ("user__email", "reason")
    ordering = ("-id",)
    fields = readonly_fields = (
        "user", "role", "reason", "started_at", "ends_at", "ended_at", "ended_by", "reported_at",
    )  # fmt: skip
    actions_list = ("take",)
    change_form_outer_before_template = "operations/admin/_emergency_access.html"
    view_on_site = False

    def get_urls(self) -> list[URLPattern]:
        end = path(
            "<int:access_id>/end/", self.admin_site.admin_view(self.end_view), name="operations_emergencyaccess_end"
        )
        return [end, *super().get_urls()]

    def has_take_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_view_permission(self, request: HttpRequest, obj: EmergencyAccess | None = None) -> bool:
        """Staff who may take a role also see who has one."""
        return self.has_take_permission(request) or bool(super().has_view_permission(request, obj))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        context: dict[str, Any] = {}
        access = self.get_object(request, object_id)
        if access is not None:
            trail = f"{reverse('admin:operations_change_changelist')}?emergency={access.pk}"
            context = {
                "number_of_changes": changes_under(access).count(),
                "trail_url": trail if request.user.has_perm("operations.view_change") else "",
                "end_url": self._end_url(request, access),
            }
        answer: HttpResponseBase = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )
        return answer

    @action(description="Take a role in an emergency", permissions=["take"], url_path="take")
    def take(self, request: HttpRequest) -> HttpResponse:
        """Ask for role, time and reason; give the role."""
        form = TakeForm(request.POST or None)
        if form.is_valid() and self._taken(request, form):
            return HttpResponseRedirect(reverse("admin:index"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Take a role in an emergency",
            "form": form,
            "opts": self.opts,
            "back": reverse("admin:operations_emergencyaccess_changelist"),
        }
        return TemplateResponse(request, "operations/admin/emergency_access_take.html", context)

    def end_view(self, request: HttpRequest, access_id: int) -> HttpResponseBase:
        """End it: the person themselves, or staff who manage other staff."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        access = EmergencyAccess.objects.filter(pk=access_id).first()
        if access is None:
            raise Http404
        if not _may_end(request, access):
            raise PermissionDenied
        if end_access(access=access, by=request.user):  # type: ignore[arg-type]  # signed in
            messages.success(request, "It has ended. The report is mailed within minutes.")
        else:
            messages.warning(request, "It was over already.")
        return HttpResponseRedirect(reverse("admin:operations_emergencyaccess_change", args=[access.pk]))

    @display(description="Ends")
    def shown_end(self, access: EmergencyAccess) -> Any:
        return access.ended_at or access.ends_at

    @display(description="State", label={"running": "warning", "over": "info"})
    def shown_state(self, access: EmergencyAccess) -> tuple[str, str]:
        return ("running", "Running") if _is_running(access) else ("over", "Over")

    def _taken(self, request: HttpRequest, form: TakeForm) -> bool:
        given = form.cleaned_data
        try:
            access = take_role(
                user=request.user,  # type: ignore[arg-type]  # signed in
                role=given["role"],
                reason=given["reason"],
                lasting=timedelta(minutes=given["minutes"]),
            )
        except AccessIsRunning as error:
            form.add_error(None, str(error))
            return False
        until = timezone.localtime(access.ends_at)
        messages.warning(request, f"You have the role “{access.role}” until {until:%H:%M}. Staff were alerted.")
        return True

    def _end_url(self, request: HttpRequest, access: EmergencyAccess) -> str:
        if not _is_running(access) or not _may_end(request, access):
            return ""
        return reverse("admin:operations_emergencyaccess_end", args=[access.pk])


def _is_running(access: EmergencyAccess) -> bool:
    return access.ended_at is None and access.ends_at > timezone.now()


def _may_end(request: HttpRequest, access: EmergencyAccess) -> bool:
    return access.user_id == request.user.pk or request.user.has_perm("accounts.change_user")
