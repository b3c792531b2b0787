"""The events about places in workshops that people's own programs can hear of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from payments.contracts import SoldLine
from webhooks.announcing import announce, same_for_all
from webhooks.event_types import EVERYONE, EventType, Field, Rows, register_event_type
from workshops.models import Registration

_FIELDS: Mapping[str, Field | Rows] = {
    "workshop": Field(int, "`id` of the workshop, its `reference` in the cart."),
    "order": Field(str, "`number` of the order; empty once the place was redeemed as a gift."),
    "line": Field(int, "`id` of the order line."),
    "registrations": Rows({"id": Field(int, "`id` of the registration.")}, "One for each place."),
}
REGISTRATION_CREATED = register_event_type(
    EventType(name="registration.created", text="Places were bought.", audiences=EVERYONE, fields=_FIELDS)
)
REGISTRATION_CANCELLED = register_event_type(
    EventType(
        name="registration.cancelled",
        text="Places were given back, or the workshop was cancelled.",
        audiences=EVERYONE,
        fields=_FIELDS,
    )
)


def announce_registrations(line: SoldLine, registrations: Sequence[Registration]) -> None:
    """Announce the places of a line that was paid."""
    _announce(REGISTRATION_CREATED, line, registrations, subject=f"line:{line.id}")


def announce_revoked_registrations(line: SoldLine, registrations: Sequence[Registration]) -> None:
    """Announce places that were given back: each is so once."""
    first = min(registration.pk for registration in registrations)
    _announce(REGISTRATION_CANCELLED, line, registrations, subject=f"registration:{first}")


def _announce(event_type: EventType, line: SoldLine, registrations: Sequence[Registration], *, subject: str) -> None:
    data: dict[str, Any] = {
        "workshop": registrations[0].workshop_id,
        "order": "" if line.gift and line.gift.receiver_id else line.order_number,
        "line": line.id,
        "registrations": [{"id": registration.pk} for registration in registrations],
    }
    views = same_for_all(data, user_id=line.holder_id, teacher_id=line.teacher_id)
    announce(event_type, subject=subject, views=views)
