"""Durable work in the admin: the lists of all kinds look and work alike, and one page shows all kinds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import JSONField, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.models import DurableWork, Heartbeat
from jobs.overview import KindOfWork, kinds_of_work, sweep_is_missing
from jobs.read_only_admin import ReadOnlyAdmin


class DurableWorkAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Base of every kind's admin. Nothing can be typed in; work is retried or parked.

    A kind puts its own columns and fields before these: `list_display = ("to", *DurableWorkAdmin.list_display)`, and
    likewise `list_filter`, `readonly_fields` and `fields`.
    """

    list_display: Sequence[str] = ("state_badge", "next_run", "error_line", "created_at")
    readonly_fields: Sequence[Any] = ("state", "attempts", "run_after", "created_at", "finished_at", "error_text")
    list_filter: Sequence[Any] = ("state", "created_at")
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["retry_selected", "park_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DurableWork]:
        """Leave out what only a row's own page shows: it may be large, and unreadable JSON would break the list."""
        rows: QuerySet[DurableWork] = super().get_queryset(request)
        return rows.defer(*(field.name for field in self.model._meta.concrete_fields if isinstance(field, JSONField)))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Staff who may change such rows may retry and park them; no other change is possible."""
        return self.role_may_change(request)

    @display(
        description="state",
        ordering="state",
        label={"waiting": "info", "running": "warning", "done": "success", "parked": "danger"},
    )
    def state_badge(self, work: DurableWork) -> tuple[str, str]:
        return work.state, work.get_state_display()

    @display(description="next try", ordering="run_after")
    def next_run(self, work: DurableWork) -> datetime | None:
        """Only for waiting work; for running work the same column holds the end of its lease."""
        return work.run_after if work.state == DurableWork.State.WAITING else None

    @display(description="last error")
    def error_line(self, work: DurableWork) -> str:
        return work.last_line_of_error[:120]

    @display(description="last error")
    def error_text(self, work: DurableWork) -> str:
        if not work.last_error:
            return "–"
        return format_html('<pre class="overflow-x-auto text-xs whitespace-pre-wrap">{}</pre>', work.last_error)

    @admin.action(description="Retry now", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, selected: QuerySet[DurableWork]) -> None:
        """Retry parked and waiting rows. Finished work cannot be repeated from here."""
        unfinished = selected.exclude(state=DurableWork.State.DONE)
        retried = [work for work in unfinished if work.retry_now()]
        self._tell(request, retried, "Retried", skipped=selected.count() - len(retried))

    @admin.action(description="Park", permissions=["retry"])
    def park_selected(self, request: HttpRequest, selected: QuerySet[DurableWork]) -> None:
        parked = [work for work in selected if work.park_now(f"Parked in the admin by user {request.user.pk}.")]
        self._tell(request, parked, "Parked", skipped=selected.count() - len(parked))

    def _tell(self, request: HttpRequest, changed: list[DurableWork], what: str, *, skipped: int) -> None:
        for work in changed:
            self.log_change(request, work, what)
        note = f" {skipped} skipped: finished, or running now." if skipped else ""
        level = messages.SUCCESS if changed else messages.WARNING
        self.message_user(request, f"{what}: {len(changed)}.{note}", level)


def written_json(work: DurableWork, column: str) -> str:
    """The JSON of a column as text for a page; as PostgreSQL writes it where Python cannot load it."""
    as_text = Cast(column, TextField())
    text: str = type(work)._default_manager.filter(pk=work.pk).values_list(as_text, flat=True).get()
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Periodic tasks and when each last ran; above them, the state of every kind of durable work."""

    list_display = ["name", "seen_at"]
    ordering = ["name"]
    list_before_template = "jobs/_overview.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        table = {
            "headers": ["Kind", "Due for", "Waiting", "Running", "Parked"],
            "rows": [_row(kind) for kind in kinds_of_work()],
        }
        context = {"work_table": table, "sweep_is_missing": sweep_is_missing(), "title": "Work and heartbeats"}
        answer: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **context})
        return answer


def _row(kind: KindOfWork) -> list[Any]:
    name = str(kind.model._meta.verbose_name_plural).capitalize()
    oldest = "–"
    if kind.oldest_due is not None:
        seconds = int(kind.oldest_due.total_seconds())
        oldest = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004  # easier to read
    if kind.is_late:
        oldest = format_html('<strong class="text-red-700 dark:text-red-400">{}</strong>', oldest)
    return [_link(kind, name), oldest, kind.waiting, kind.running, _link(kind, kind.parked, "?state__exact=parked")]


def _link(kind: KindOfWork, text: Any, query: str = "") -> Any:
    try:
        url = reverse(f"admin:{kind.model._meta.app_label}_{kind.model._meta.model_name}_changelist")
    except NoReverseMatch:  # a kind without an admin of its own still counts
        return text
    return format_html(
        '<a class="text-primary-700 underline dark:text-primary-400" href="{}{}">{}</a>', url, query, text
    )
