"""Which events there are. Each app registers its own in its `announcements.py`, with the form of their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Audience(Enum):
    """Who can hear of an event. Staff hear of all."""

    STUDENT = "student"
    TEACHER = "teacher"


# Both can hear of what concerns both.
EVERYONE = frozenset(Audience)
_TYPES: dict[type, str] = {str: "string", int: "integer", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an event's data. An amount is a decimal text in major units: JSON's numbers are not exact."""

    kind: type
    text: str
    is_nullable: bool = False

    def as_schema(self) -> dict[str, Any]:
        """Describe it as OpenAPI 3.1 does."""
        name = _TYPES[self.kind]
        return {"type": [name, "null"] if self.is_nullable else name, "description": self.text}


@dataclass(frozen=True, slots=True)
class Rows:
    """A member that is a list of objects."""

    fields: Mapping[str, Field]
    text: str

    def as_schema(self) -> dict[str, Any]:
        """Describe it as OpenAPI 3.1 does."""
        return {"type": "array", "description": self.text, "items": object_schema(self.fields)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One kind of event. `version` grows when a member changes or goes; a new member changes no version."""

    name: str
    text: str
    audiences: frozenset[Audience]
    fields: Mapping[str, Field | Rows]
    version: int = 1


_registered: dict[str, EventType] = {}


def register_event_type(event_type: EventType) -> EventType:
    """Make a kind of event known. Raises ValueError if its name is taken."""
    if _registered.setdefault(event_type.name, event_type) is not event_type:
        raise ValueError(f"{event_type.name} is registered twice")
    return event_type


def registered_event_types() -> list[EventType]:
    """All kinds of events, by name."""
    return sorted(_registered.values(), key=lambda event_type: event_type.name)


def event_type_of(name: str) -> EventType:
    """The kind of event called `name`. Raises KeyError."""
    return _registered[name]


def object_schema(fields: Mapping[str, Field | Rows]) -> dict[str, Any]:
    """Describe an object of exactly these members."""
    return {
        "type": "object",
        "properties": {name: field.as_schema() for name, field in fields.items()},
        "required": list(fields),
    }


# Sent when the owner of an endpoint asks for it, so it cannot be chosen.
TEST = EventType(
    name="webhook.test",
    text="You asked for a test.",
    audiences=frozenset(),
    fields={"endpoint": Field(int, "`id` of the endpoint.")},
)
