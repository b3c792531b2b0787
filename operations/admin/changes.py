"""The audit trail for staff who may see it: narrowed by a form above the list, with before and after, and as CSV."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from operations.admin.change_filters import FILTERS, FilterForm, name_of
from operations.audit.export import lines_of, record_export
from operations.models import Change

_COLOURS = {"insert": "success", "update": "info", "delete": "danger"}
_SHOWN_AT_MOST = 300


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin, ModelAdmin):
    """Who changed what. Nothing in it can be changed, not even by superusers."""

    list_display = ("shown_at", "who", "shown_action", "shown_object", "values", "source", "shown_emergency")
    list_filter = FILTERS
    list_select_related = ("actor",)
    list_per_page = 50
    list_before_template = "operations/admin/_change_filters.html"
    show_full_result_count = False
    ordering = ("-id",)
    actions = None
    view_on_site = False
    readonly_fields = (
        "at",
        "who",
        "action",
        "shown_object",
        "table_name",
        "before_text",
        "after_text",
        "source",
        "place",
        "request_id",
        "database_user",
        "emergency_access_id",
    )
    fields = readonly_fields

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export_view), name="operations_change_export")
        return [export, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        context = {
            "filter_form": FilterForm(request.GET),
            "export_url": reverse("admin:operations_change_export") if _may_export(request) else "",
            "query": request.GET.urlencode(),
            "title": "Audit trail",
        }
        answer: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **context})
        return answer

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The narrowed list as CSV. A post, because the export is recorded."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not _may_export(request):
            raise PermissionDenied
        try:
            changes = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("These filters cannot be used.") from error
        record_export(query=request.GET.urlencode()[:1000], count=changes.count())
        headers = {"Content-Disposition": 'attachment; filename="audit-trail.csv"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(lines_of(changes), content_type="text/csv; charset=utf-8", headers=headers)

    @display(description="When", ordering="id")
    def shown_at(self, change: Change) -> Any:
        return change.at

    @display(description="Who")
    def who(self, change: Change) -> str:
        return change.actor.email if change.actor else "–"

    @display(description="Action", label=_COLOURS)
    def shown_action(self, change: Change) -> tuple[str, str]:
        return change.action, change.get_action_display()

    @display(description="Object")
    def shown_object(self, change: Change) -> SafeString | str:
        name = f"{name_of(change.model)} {change.object_id}"
        try:
            url = reverse(f"admin:{change.model.replace('.', '_')}_change", args=[change.object_id])
        except NoReverseMatch:
            return name
        return format_html('<a class="underline" href="{}">{}</a>', url, name)

    @display(description="Before and after")
    def values(self, change: Change) -> str:
        return in_words(change)

    @display(description="Emergency")
    def shown_emergency(self, change: Change) -> str:
        return "yes" if change.emergency_access_id is not None else ""

    @display(description="Before")
    def before_text(self, change: Change) -> SafeString | str:
        return _as_block(change.before)

    @display(description="After")
    def after_text(self, change: Change) -> SafeString | str:
        return _as_block(change.after)


def in_words(change: Change) -> str:
    """The values in one line: each changed column with its value before and after."""
    before, after = change.before or {}, change.after or {}
    if change.action == Change.Action.UPDATE:
        parts = [f"{name}: {_short(before.get(name))} → {_short(after[name])}" for name in sorted(after)]
    else:
        parts = [f"{name}: {_short(value)}" for name, value in sorted({**before, **after}.items()) if value]
    line = "; ".join(parts)
    return line if len(line) <= _SHOWN_AT_MOST else f"{line[:_SHOWN_AT_MOST]}…"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004  # fits beside another in a line


def _as_block(values: Any) -> SafeString | str:
    if values is None:
        return "–"
    text = json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True)
    return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)


def _may_export(request: HttpRequest) -> bool:
    return request.user.has_perm("operations.view_change") and request.user.has_perm("operations.export_change")
