"""Our records by match key, as they are gathered for a comparison."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from payments.reconciliation.book_items import Record
from payments.reconciliation.statement import Movement, Topic, topic_of


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

    def order_number(self, movements: Sequence[Movement]) -> str:
        """The number of the order whose payment is behind the movements; empty if it is none of this site."""
        return next(filter(None, (self.order_of_intent.get(each.payment_intent, "") for each in movements)), "")


def ids_of(keys: Iterable[str], topic: Topic) -> list[str]:
    """Stripe's ids in the keys of one topic."""
    return [key.partition(":")[2] for key in keys if topic_of(key) == topic]


def as_uuid(text: str) -> uuid.UUID | None:
    """A text in metadata as a reference of ours; None if it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
