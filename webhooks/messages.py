"""What is sent: the body of an event, and the headers of Standard Webhooks with a signature for each live secret."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from webhooks.models import EndpointSecret, Event


def payload_of(event: Event) -> dict[str, Any]:
    """The event as its receiver reads it."""
    return {
        "id": event.message_id,
        "type": event.type,
        "version": event.version,
        "timestamp": event.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "data": event.data,
    }


def body_of(event: Event) -> str:
    """The body, the same for every try."""
    return json.dumps(payload_of(event), separators=(",", ":"), sort_keys=True)


def headers_of(event: Event, body: str, *, secrets: Iterable[EndpointSecret], at: datetime) -> dict[str, str]:
    """The headers of one try, signed with each secret that has not ended."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Lectern-Webhooks/1",
        "webhook-id": event.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(_signatures(event, body, [one for one in secrets if one.signs_at(at)], at=at)),
    }


def _signatures(event: Event, body: str, secrets: Collection[EndpointSecret], *, at: datetime) -> list[str]:
    # The library takes the digits of the moment as they stand, so they must be those of UTC.
    moment = at.astimezone(UTC)
    return [Webhook(one.secret).sign(event.message_id, moment, body) for one in secrets]
