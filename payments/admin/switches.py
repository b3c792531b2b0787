"""The switches: what each does, whether it is on, and who turned it last. waffle's own pages know only names."""

from __future__ import annotations

from typing import Any

import waffle.admin  # noqa: F401  # registers what is replaced below
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from waffle.models import Flag, Sample, Switch

from jobs.read_only_admin import ReadOnlyAdmin
from payments.switches import known_switches

# The heading of its pages, which staff know by what they do there.
apps.get_app_config("waffle").verbose_name = "Operation"
# No code asks for flags or samples.
admin.site.unregister([Flag, Sample, Switch])


@admin.register(Switch)
class SwitchAdmin(ReadOnlyAdmin, ModelAdmin):
    """The known switches with buttons; below them, rows with other names, which do nothing."""

    list_display = ("name", "active", "note", "modified")
    search_fields = ("name", "note")
    ordering = ("name",)
    fields = readonly_fields = ("name", "active", "note", "created", "modified")
    change_list_template = "payments/admin/switches.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Switch]:
        rows: QuerySet[Switch] = super().get_queryset(request)
        is_list = request.resolver_match is not None and request.resolver_match.url_name == "waffle_switch_changelist"
        return rows.exclude(name__in=[known.name for known in known_switches()]) if is_list else rows

    def get_urls(self) -> list[URLPattern]:
        turn = path("turn/", self.admin_site.admin_view(self.turn_view), name="waffle_switch_turn")
        return [turn, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        context = {"switches": _rows(), "may_turn": self.role_may_change(request), "title": "Switches"}
        answer: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **context})
        return answer

    def turn_view(self, request: HttpRequest) -> HttpResponse:
        """Turn one of the known switches on or off, and record who did."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.role_may_change(request):
            raise PermissionDenied
        known = next((each for each in known_switches() if each.name == request.POST.get("name")), None)
        if known is None:
            raise Http404
        switch, _ = Switch.objects.get_or_create(name=known.name)
        switch.active = request.POST.get("to") == "on"
        switch.save()
        state = "on" if switch.active else "off"
        self.log_change(request, switch, f"Turned {state}.")
        messages.success(request, f"“{known.title}” is {state}.")
        return HttpResponseRedirect(reverse("admin:waffle_switch_changelist"))


def _rows() -> list[dict[str, Any]]:
    """The known switches with their rows, and the last change of each; in three queries."""
    rows = {switch.name: switch for switch in Switch.objects.filter(name__in=[each.name for each in known_switches()])}
    about_switches = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Switch), object_id__in=[str(row.pk) for row in rows.values()]
    )
    # The newest comes last, so it is the one that stays.
    last = {entry.object_id: entry for entry in about_switches.select_related("user").order_by("pk")}
    return [
        {
            "known": known,
            "is_on": known.name in rows and rows[known.name].active,
            "last": last.get(str(rows[known.name].pk)) if known.name in rows else None,
        }
        for known in known_switches()
    ]
