"""The part of the OpenAPI document that describes what receivers get."""

from __future__ import annotations

from typing import Any

from webhooks.event_types import EventType, object_schema, registered_event_types

_HEADERS = {
    "webhook-id": "Names the message; the same for each try.",
    "webhook-timestamp": "When this try was sent, in seconds since 1970.",
    "webhook-signature": "One or more signatures such as v1,…; one of them must be right.",
}


def add_webhooks(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Add the section `webhooks`. A hook of drf-spectacular."""
    result["webhooks"] = {each.name: {"post": _describe(each)} for each in registered_event_types()}
    return result


def _describe(event_type: EventType) -> dict[str, Any]:
    return {
        "operationId": f"webhook_{event_type.name.replace('.', '_')}",
        "description": event_type.text,
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema_of(event_type)}}},
        "responses": {"2XX": {"description": "Received. Any other answer is a failure, and the message comes again."}},
    }


def schema_of(event_type: EventType) -> dict[str, Any]:
    """The schema of the whole message."""
    described = object_schema({})
    described["properties"] = {
        "id": {"type": "string", "description": "The same as `webhook-id`."},
        "type": {"const": event_type.name},
        "version": {"const": event_type.version},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
        "data": object_schema(event_type.fields),
    }
    described["required"] = list(described["properties"])
    return described
