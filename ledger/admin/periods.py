"""Closing a period of the books."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from jobs.read_only_admin import ReadOnlyAdmin
from ledger.models import PeriodClose
from ledger.periods import CannotClose, close_period, closed_until, journals_to_close, refuse_to_close


class ClosePeriodForm(forms.Form):
    """Until when, and why."""

    until = forms.SplitDateTimeField(
        label="Close everything before",
        help_text="Journals take effect at this moment or later. This cannot be undone.",
        widget=UnfoldAdminSplitDateTimeWidget,
    )
    note = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextInputWidget)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "until" in cleaned:
            try:
                refuse_to_close(cleaned["until"])
            except CannotClose as error:
                self.add_error("until", str(error))
        return cleaned


@admin.register(PeriodClose)
class PeriodCloseAdmin(ReadOnlyAdmin, ModelAdmin):
    """The periods that were closed, by whom and why; staff with the permission close another."""

    list_display = ("closed_until", "closed_at", "closed_by", "note")
    list_select_related = ("closed_by",)
    fields = readonly_fields = ("closed_until", "closed_at", "closed_by", "note")
    actions_list = ("close",)

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ledger.close_period")

    @action(description="Close a period", permissions=["close"], url_path="close")
    def close(self, request: HttpRequest) -> HttpResponse:
        """Ask until when; show what that closes; close it once it is confirmed."""
        form = ClosePeriodForm(request.POST or None)
        is_confirmed = "confirm" in request.POST
        context = {**self.admin_site.each_context(request), "title": "Close a period", "form": form, "opts": self.opts}
        context["closed_until"] = closed_until()
        if form.is_valid():
            if is_confirmed and self._closed(request, form):
                return HttpResponseRedirect(reverse("admin:ledger_periodclose_changelist"))
            if not form.errors:
                context["number_of_journals"] = journals_to_close(form.cleaned_data["until"])
                context["until"] = form.cleaned_data["until"]
        return TemplateResponse(request, "ledger/period_close.html", context)

    def _closed(self, request: HttpRequest, form: ClosePeriodForm) -> bool:
        until = form.cleaned_data["until"]
        try:
            close_period(until=until, by=request.user, note=form.cleaned_data["note"])  # type: ignore[arg-type]  # signed in
        except CannotClose as error:
            form.add_error("until", str(error))
            return False
        messages.success(request, f"The books are closed until {until:%-d %B %Y, %H:%M}.")
        return True
