"""Teachers in the admin: staff read applications and decide on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.applications import DecisionNotPossible, approve_teacher, decline_teacher, may_become, suspend_teacher
from accounts.markdown import render_markdown
from accounts.models import Teacher, User
from accounts.percent_field import PercentField
from accounts.places_and_languages import language_name, region_name

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

    list_display = ("display_name", "email", "shown_status", "shown_languages", "shown_regions", "applied_at")
    list_filter = ("status", "applied_at")
    list_select_related = ("user", "decided_by")
    search_fields = (
        "display_name__resembles",
        "user__email",
        "user__full_name__resembles",
        "slug",
        "headline__resembles",
    )
    ordering = ("-applied_at",)
    actions = ("approve_chosen", "decline_chosen", "suspend_chosen")
    actions_submit_line = ("approve", "decline", "suspend")
    fieldsets = (
        (
            "Application",
            {
                "fields": (
                    "display_name",
                    "email",
                    "headline",
                    "shown_biography",
                    "shown_languages",
                    "shown_regions",
                    "tax_number",
                )
            },
        ),
        ("Page", {"fields": ("photo_preview", "slug")}),
    )
    _SHOWN = (
        "display_name", "email", "headline", "shown_biography", "shown_languages", "shown_regions", "photo_preview", "slug",
        "shown_status", "applied_at", "decided_at", "decided_by", "tax_number",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Teacher | None = None) -> tuple[str, ...]:
        shown: tuple[str, ...] = self._SHOWN
        if not request.user.has_perm("accounts.set_commission"):
            shown = (*shown, "shown_commission")
        if not request.user.has_perm("accounts.decide_teacher"):
            shown = (*shown, "decision_note")
        return shown

    def get_fieldsets(
        self, request: HttpRequest, obj: Teacher | None = None
    ) -> list[tuple[str, dict[str, Any]]]:  # Django's signature
        """The commission as a field for those who may set it, as a text for the others."""
        commission = "commission_bps" if request.user.has_perm("accounts.set_commission") else "shown_commission"
        decision = ("shown_status", "applied_at", "decided_at", "decided_by", "decision_note", commission)
        return [*self.fieldsets, ("Decision", {"fields": decision})]

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "commission_bps":
            return PercentField(
                label="Commission in percent",
                required=False,
                help_text=f"Empty: the usual {settings.DEFAULT_COMMISSION_BPS / 100:g} %.",
                widget=UnfoldAdminTextInputWidget,
            )
        form_field = super().formfield_for_dbfield(db_field, request, **options)
        if form_field and db_field.name == "decision_note":
            form_field.label = "Reason, if you decline or suspend"
            form_field.help_text = "They read it in the email about your decision."
        return form_field

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: teachers apply themselves, so that the text is their own."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Teacher | None = None) -> bool:
        """Never: sales refer to teachers. Suspend instead."""
        return False

    def is_on_site(self, teacher: Teacher) -> bool:
        return teacher.is_approved

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

    @display(description="Languages")
    def shown_languages(self, teacher: Teacher) -> str:
        return ", ".join(map(language_name, teacher.languages)) or "–"

    @display(description="May teach in")
    def shown_regions(self, teacher: Teacher) -> str:
        return ", ".join(map(region_name, teacher.regions)) or "–"

    @display(description="Commission")
    def shown_commission(self, teacher: Teacher) -> str:
        if teacher.commission_bps is None:
            return f"{settings.DEFAULT_COMMISSION_BPS / 100:g} %, as usual"
        return f"{teacher.commission_bps / 100:g} %"

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

    @action(description="Save and approve", permissions=["approve"], icon="check", variant=ActionVariant.PRIMARY)
    def approve(self, request: HttpRequest, teacher: Teacher) -> None:
        self._decide(request, [teacher], _approve, "approved")

    @action(description="Save and decline", permissions=["decline"])
    def decline(self, request: HttpRequest, teacher: Teacher) -> None:
        self._decide(request, [teacher], _decline, "declined")

    @action(description="Save and suspend", permissions=["suspend"], variant=ActionVariant.DANGER)
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
