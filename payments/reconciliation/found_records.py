"""Our records by match key, as they are gathered for a comparison."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from payments.reconciliation.book_items import Record
from payments.reconciliation.statement import Movement, Topic, key_of, topic_of

Reference = TypeVar("Reference", bound=Hashable)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record, and the sources of the journals on Stripe clearing that it may have."""

    record: Record
    sources: tuple[str, ...]


@dataclass(slots=True)
class FoundRecords:
    """Our records by match key, and what is known about objects at Stripe that have none."""

    of_key: dict[str, list[FoundRecord]] = field(default_factory=lambda: defaultdict(list))
    # The other object at Stripe that our record of the same key names.
    twins: dict[str, str] = field(default_factory=dict)
    order_of_intent: dict[str, str] = field(default_factory=dict)

    def key_of_record(
        self, movements_of: Mapping[str, Sequence[Movement]], *, topic: Topic, ids: Sequence[str], claims: Sequence[str]
    ) -> str:
        """The key under which a record is found, empty if under none; all others that claim it become its twins.

        `ids` are Stripe's ids in the record. Without any, the first object that claims the record is the one.
        """
        known = [key_of(topic, each) for each in ids] or list(claims[:1])
        self.twins.update({key: known[0].partition(":")[2] for key in claims if key not in known})
        return next((key for key in known if key in movements_of), "")

    def order_number(self, movements: Sequence[Movement]) -> str:
        """The number of the order whose payment is behind the movements; empty if it is none of this site."""
        return next(filter(None, (self.order_of_intent.get(each.payment_intent, "") for each in movements)), "")


def ids_of(keys: Iterable[str], topic: Topic) -> list[str]:
    """Stripe's ids in the keys of one topic."""
    return [key.partition(":")[2] for key in keys if topic_of(key) == topic]


def claims_of(
    movements_of: Mapping[str, Sequence[Movement]], topic: Topic, reference_of: Callable[[Movement], Reference | None]
) -> dict[Reference, list[str]]:
    """The keys whose metadata names each reference of ours, the earliest first: a double names the same one."""
    claims: dict[Reference, list[str]] = defaultdict(list)
    movements = [each for key, of_key in movements_of.items() if topic_of(key) == topic for each in of_key]
    for movement in sorted(movements, key=lambda each: (each.created_at, each.key)):
        reference = reference_of(movement)
        if reference and movement.key not in claims[reference]:
            claims[reference].append(movement.key)
    return claims


def as_uuid(text: str) -> uuid.UUID | None:
    """A text in metadata as a reference of ours; None if it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
