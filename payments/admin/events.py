"""The inbox of Stripe's events: every event with its attempts and outcome, and an action to replay it after a fix."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin, written_json
from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin import words
from payments.admin.payloads import without_secrets
from payments.models import ChargeLookup, EventAttempt, MirrorSync, WebhookEvent


class EventAttemptInline(ReadOnlyAdmin, TabularInline):
    """The attempts to process the event."""

    model = EventAttempt
    fields = readonly_fields = ("at", "milliseconds", "outcome", "error")
    extra = 0


@admin.register(WebhookEvent)
class WebhookEventAdmin(DurableWorkAdmin):
    """Events can be read and replayed, but not edited."""

    list_display = ("reported", "order", "shown_outcome", "state_badge", "error_line", "created_at")
    list_filter = ("is_quarantined", "source", "type", *DurableWorkAdmin.list_filter)
    list_select_related = ("order",)
    search_fields = ("stripe_id", "type", "order__number")
    exclude = ("payload",)
    readonly_fields = (
        "reported",
        "type",
        "shown_id",
        "order",
        "shown_outcome",
        "is_quarantined",
        "livemode",
        "source",
        *DurableWorkAdmin.readonly_fields,
        "pretty_payload",
    )
    inlines = (EventAttemptInline,)

    @display(description="What Stripe reported", ordering="type")
    def reported(self, event: WebhookEvent) -> str:
        return words.event_type(event)

    @display(description="What became of it")
    def shown_outcome(self, event: WebhookEvent) -> str:
        return words.outcome(event) or "–"

    @display(description="At Stripe")
    def shown_id(self, event: WebhookEvent) -> str:
        return words.stripe_link(event.stripe_id, livemode=event.livemode)

    @display(description="Payload, as signed by Stripe, without secrets")
    def pretty_payload(self, event: WebhookEvent) -> str:
        return format_html("<pre>{}</pre>", without_secrets(written_json(event, "payload")))


@admin.register(ChargeLookup)
class ChargeLookupAdmin(DurableWorkAdmin):
    """Payments whose charge and fee Stripe has yet to report."""

    list_display = ("payment", *DurableWorkAdmin.list_display)
    list_select_related = ("payment__order",)
    search_fields = ("payment__order__number",)
    readonly_fields = ("payment", *DurableWorkAdmin.readonly_fields)


@admin.register(MirrorSync)
class MirrorSyncAdmin(DurableWorkAdmin):
    """Stripe objects that are yet to be copied to dj-stripe's tables."""

    list_display = ("object_type", "object_id", *DurableWorkAdmin.list_display)
    search_fields = ("object_id",)
    readonly_fields = ("object_type", "object_id", *DurableWorkAdmin.readonly_fields)
