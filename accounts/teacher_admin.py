"""Teachers in the admin: staff read applications and decide on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.applications import DecisionNotPossible, approve_teacher, decline_teacher, may_become, suspend_teacher
from accounts.markdown import render_markdown
from accounts.models import Teacher, User

_Decision = Callable[[Teacher, User], Teacher]


def _approve(teacher: Teacher, by: User) -> Teacher:
    return approve_teacher(teacher=teacher, by=by)


def _decline(teacher: Teacher, by: User) -> Teacher:
    return decline_teacher(teacher=teacher, by=by, note=teacher.decision_note)


def _suspend(teacher: Teacher, by: User) -> Teacher:
    return suspend_teacher(teacher=teacher, by=by, note=teacher.decision_note)


@admin.register(Teacher)
class TeacherAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Staff decide, note why, and set the commission; they do not edit what teachers wrote."""

    list_display = ("display_name", "email", "shown_status", "languages", "regions", "applied_at", "decided_at")
    list_filter = ("status", "applied_at")
    list_select_related = ("user", "decided_by")
    search_fields = ("display_name", "user__email", "user__full_name", "slug", "headline")
    ordering = ("-applied_at",)
    actions = ("approve_chosen", "decline_chosen", "suspend_chosen")
    actions_submit_line = ("approve", "decline", "suspend")
    fieldsets = (
        ("Application", {"fields": ("display_name", "email", "headline", "shown_biography", "languages", "regions")}),
        ("Page", {"fields": ("photo_preview", "slug")}),
        (
            "Decision",
            {"fields": ("shown_status", "applied_at", "decided_at", "decided_by", "decision_note", "commission_bps")},
        ),
    )
    _SHOWN = (
        "display_name", "email", "headline", "shown_biography", "languages", "regions", "photo_preview", "slug",
        "shown_status", "applied_at", "decided_at", "decided_by",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Teacher | None = None) -> tuple[str, ...]:
        shown: tuple[str, ...] = self._SHOWN
        if not request.user.has_perm("accounts.set_commission"):
            shown = (*shown, "commission_bps")
        if not request.user.has_perm("accounts.decide_teacher"):
            shown = (*shown, "decision_note")
        return shown

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: teachers apply themselves, so that the text is their own."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Teacher | None = None) -> bool:
        """Never: sales refer to teachers. Suspend instead."""
        return False

    @display(description="Email", ordering="user__email")
    def email(self, teacher: Teacher) -> str:
        return teacher.user.email

    @display(
        description="Status",
        ordering="status",
        label={"applied": "warning", "approved": "success", "declined": "info", "suspended": "danger"},
    )
    def shown_status(self, teacher: Teacher) -> tuple[str, str]:
        return teacher.status, teacher.get_status_display()

    @display(description="Biography")
    def shown_biography(self, teacher: Teacher) -> SafeString:
        return render_markdown(teacher.biography)

    @display(description="Photo")
    def photo_preview(self, teacher: Teacher) -> SafeString | str:
        if not teacher.photo:
            return "None yet"
        return format_html('<img src="{}" alt="" width="160" height="160">', teacher.photo.url)

    # Each button needs the permission and a status that allows the decision; otherwise it is not shown.
    def has_approve_permission(self, request: HttpRequest, teacher_id: Any = None) -> bool:
        return _may(request, teacher_id, Teacher.Status.APPROVED)

    def has_decline_permission(self, request: HttpRequest, teacher_id: Any = None) -> bool:
        return _may(request, teacher_id, Teacher.Status.DECLINED)

    def has_suspend_permission(self, request: HttpRequest, teacher_id: Any = None) -> bool:
        return _may(request, teacher_id, Teacher.Status.SUSPENDED)

    @action(description="Save and approve", permissions=["approve"])
    def approve(self, request: HttpRequest, teacher: Teacher) -> None:
        self._decide(request, [teacher], _approve, "approved")

    @action(description="Save and decline", permissions=["decline"])
    def decline(self, request: HttpRequest, teacher: Teacher) -> None:
        self._decide(request, [teacher], _decline, "declined")

    @action(description="Save and suspend", permissions=["suspend"])
    def suspend(self, request: HttpRequest, teacher: Teacher) -> None:
        self._decide(request, [teacher], _suspend, "suspended")

    @action(description="Approve", permissions=["approve"])
    def approve_chosen(self, request: HttpRequest, teachers: QuerySet[Teacher]) -> None:
        self._decide(request, teachers, _approve, "approved")

    @action(description="Decline", permissions=["decline"])
    def decline_chosen(self, request: HttpRequest, teachers: QuerySet[Teacher]) -> None:
        self._decide(request, teachers, _decline, "declined")

    @action(description="Suspend", permissions=["suspend"])
    def suspend_chosen(self, request: HttpRequest, teachers: QuerySet[Teacher]) -> None:
        self._decide(request, teachers, _suspend, "suspended")

    def _decide(
        self, request: HttpRequest, teachers: QuerySet[Teacher] | list[Teacher], decision: _Decision, done: str
    ) -> None:
        for teacher in teachers:
            try:
                decision(teacher, cast("User", request.user))
            except DecisionNotPossible as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.log_change(request, teacher, f"{done.capitalize()}.")
                self.message_user(request, f"{teacher} is {done} and has been told.", messages.SUCCESS)


def _may(request: HttpRequest, teacher_id: Any, status: Teacher.Status) -> bool:
    if not request.user.has_perm("accounts.decide_teacher"):
        return False
    # An action on the list asks without a teacher; each chosen teacher is checked when the decision is made.
    teacher = Teacher.objects.filter(pk=teacher_id).first() if teacher_id else None
    return teacher is None or may_become(teacher, status)
