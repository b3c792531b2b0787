"""Staff see all endpoints and deliveries, without secrets; they retry, replay, and make endpoints of the platform's own."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from webhooks.endpoints import enable_endpoint, switch_off_endpoint
from webhooks.messages import payload_of
from webhooks.models import Delivery, Endpoint
from webhooks.permissions import SEES_EVERYTHING
from webhooks.replaying import ReplayRefused, replay_delivery


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """People make their endpoints on a page of their own; so do staff, who may choose the events of all people there."""

    fields = readonly_fields = (
        "user", "url", "description", "events", "sees_everything", "is_enabled", "disabled_because", "failing_since",
        "failures_in_a_row", "paused_until", "created_at", "deliveries_link",
    )  # fmt: skip
    list_display = ("url", "user", "description", "state", "sees_everything", "created_at")
    list_filter = ("is_enabled", "sees_everything", "created_at")
    list_select_related = ("user",)
    search_fields = ("url", "description", "user__email")
    actions = ["enable_selected", "switch_off_selected"]
    actions_list = ("add_for_platform",)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Staff whose role may change endpoints."""
        return self.role_may_change(request)

    def has_everything_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SEES_EVERYTHING)

    @display(description="state", label={"on": "success", "failing": "warning", "disabled": "danger", "off": "info"})
    def state(self, endpoint: Endpoint) -> str:
        return endpoint.state_text

    @display(description="events")
    def events(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.event_types)

    @display(description="deliveries")
    def deliveries_link(self, endpoint: Endpoint) -> str:
        url = f"{reverse('admin:webhooks_delivery_changelist')}?{urlencode({'q': endpoint.url})}"
        return format_html('<a class="text-primary-700 underline dark:text-primary-400" href="{}">See them</a>', url)

    @action(description="Add one for the platform", url_path="add-for-platform", permissions=["everything"])
    def add_for_platform(self, request: HttpRequest) -> HttpResponse:
        """Lead to the page where endpoints are made."""
        return redirect("webhooks:endpoint_new")

    @admin.action(description="Switch on", permissions=["switch"])
    def enable_selected(self, request: HttpRequest, selected: QuerySet[Endpoint]) -> None:
        for endpoint in selected.filter(is_enabled=False):
            enable_endpoint(endpoint.pk)
            self.log_change(request, endpoint, "Switched on")
        messages.success(request, "The selected endpoints are on.")

    @admin.action(description="Switch off", permissions=["switch"])
    def switch_off_selected(self, request: HttpRequest, selected: QuerySet[Endpoint]) -> None:
        for endpoint in selected.filter(is_enabled=True):
            switch_off_endpoint(endpoint.pk)
            self.log_change(request, endpoint, "Switched off")
        messages.success(request, "The selected endpoints are off. Messages are kept for them.")


@admin.register(Delivery)
class DeliveryAdmin(DurableWorkAdmin):
    """What was sent to whom, and what came of it."""

    list_display = ("event_type", "endpoint", "owner", "answer", "tries", *DurableWorkAdmin.list_display)
    list_filter = ("event__type", "answer_status", *DurableWorkAdmin.list_filter)
    list_select_related = ("event", "endpoint__user")
    search_fields = ("event__message_id", "endpoint__url", "endpoint__user__email")
    fields = readonly_fields = (
        "event_type", "message_id", "endpoint", "owner", "tries", "tried_at", "answer", "answer_beginning", "duration_ms",
        *DurableWorkAdmin.readonly_fields, "payload",
    )  # fmt: skip
    actions = ["replay_selected", "retry_selected", "park_selected"]

    @display(description="event", ordering="event__type")
    def event_type(self, delivery: Delivery) -> str:
        return delivery.event.type

    @display(description="webhook-id")
    def message_id(self, delivery: Delivery) -> str:
        return delivery.event.message_id

    @display(description="owner", ordering="endpoint__user__email")
    def owner(self, delivery: Delivery) -> str:
        return delivery.endpoint.user.email

    @display(description="answer", ordering="answer_status")
    def answer(self, delivery: Delivery) -> str:
        return str(delivery.answer_status or ("none" if delivery.tries else "–"))

    @display(description="what is sent")
    def payload(self, delivery: Delivery) -> str:
        return format_html("<pre>{}</pre>", json.dumps(payload_of(delivery.event), indent=2, ensure_ascii=False))

    @admin.action(description="Send again, also what arrived", permissions=["retry"])
    def replay_selected(self, request: HttpRequest, selected: QuerySet[Delivery]) -> None:
        """Send the selected messages again, each with the same webhook-id."""
        replayed: list[Any] = []
        for delivery in selected:
            try:
                replay_delivery(delivery)
            except ReplayRefused:
                continue
            replayed.append(delivery)
        self._tell(request, replayed, "Replayed", skipped=selected.count() - len(replayed))
