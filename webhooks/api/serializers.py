"""What callers send about endpoints, and how endpoints and deliveries are answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.one_line import clean_line
from webhooks.messages import payload_of
from webhooks.models import Delivery, Endpoint
from webhooks.models.endpoints import LONGEST_URL


class EndpointSent(serializers.Serializer[Any]):
    """An endpoint to make."""

    url = serializers.CharField(max_length=LONGEST_URL, help_text="Begins with https://.")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=50), allow_empty=False, max_length=100, help_text="Their names."
    )
    description = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)

    def validate_description(self, text: str) -> str:
        """Keep it on one line, as the form does."""
        return clean_line(text)


class EndpointChange(EndpointSent):
    """What to change of an endpoint: only what is sent. `is_enabled` switches it on or off."""

    is_enabled = serializers.BooleanField(required=False)


class RotationSent(serializers.Serializer[Any]):
    """Whether the former secret ends at once."""

    is_leaked = serializers.BooleanField(default=False, help_text="Otherwise it works for 24 hours more.")


class ReplaySent(serializers.Serializer[Any]):
    """Which messages to send again."""

    since = serializers.DateTimeField(help_text="From when on.")
    only_failed = serializers.BooleanField(default=True, help_text="Only those that were given up.")


class EndpointAnswer(serializers.Serializer[Any]):
    """An endpoint."""

    id = serializers.IntegerField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    event_types = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    disabled_because = serializers.CharField(allow_blank=True, help_text="Empty unless we disabled it.")
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Since when every message has failed.")
    created_at = serializers.DateTimeField()


class SecretAnswer(serializers.Serializer[Any]):
    """An endpoint with its new secret, which no other answer has."""

    endpoint = EndpointAnswer()
    secret = serializers.CharField(help_text="whsec_…")


class ReplayAnswer(serializers.Serializer[Any]):
    """How many messages are sent again."""

    count = serializers.IntegerField()


class DeliveryAnswer(serializers.Serializer[Any]):
    """One message to one endpoint."""

    id = serializers.IntegerField()
    endpoint = serializers.IntegerField()
    type = serializers.CharField(help_text="Of the event.")
    webhook_id = serializers.CharField(help_text="The same for each try.")
    state = serializers.ChoiceField(
        choices=Delivery.State.choices, help_text="`parked`: given up, or the endpoint was off."
    )
    tries = serializers.IntegerField()
    tried_at = serializers.DateTimeField(allow_null=True)
    answer_status = serializers.IntegerField(allow_null=True, help_text="Of the last try; null if none arrived.")
    answer_beginning = serializers.CharField(allow_blank=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    next_try_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    payload = serializers.JSONField(help_text="What is sent.")


def describe_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint, as `EndpointAnswer` takes it."""
    return {
        "id": endpoint.pk,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "is_enabled": endpoint.is_enabled,
        "disabled_because": endpoint.disabled_because,
        "failing_since": endpoint.failing_since,
        "created_at": endpoint.created_at,
    }


def describe_delivery(delivery: Delivery) -> dict[str, Any]:
    """A delivery, as `DeliveryAnswer` takes it; with its event selected."""
    return {
        "id": delivery.pk,
        "endpoint": delivery.endpoint_id,
        "type": delivery.event.type,
        "webhook_id": delivery.event.message_id,
        "state": delivery.state,
        "tries": delivery.tries,
        "tried_at": delivery.tried_at,
        "answer_status": delivery.answer_status,
        "answer_beginning": delivery.answer_beginning,
        "duration_ms": delivery.duration_ms,
        "error": delivery.last_line_of_error,
        "next_try_at": delivery.run_after if delivery.state == Delivery.State.WAITING else None,
        "created_at": delivery.created_at,
        "payload": payload_of(delivery.event),
    }
