"""One calendar for each person, over everything that is sold: warn of overlaps before a person commits to one.

Overlaps are allowed: a place may be for another person, and a lesson may be moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from payments.contracts import Appointment
from payments.registry import handlers


@dataclass(frozen=True, slots=True)
class Overlap:
    """A time that a person is about to commit to, and what they do at that time already."""

    planned: Appointment
    existing: Appointment


def overlaps_of(person_id: int | None, planned: Sequence[Appointment]) -> list[Overlap]:
    """Overlaps among the planned times of different items, and with what this person teaches or attends already.

    Each pair of items is named once, with its first overlap. Guests have only what they plan.
    """
    planned = sorted(planned, key=lambda appointment: appointment.starts_at)
    existing = appointments_of(person_id, planned) if person_id and planned else []
    pairs = [(later, earlier) for number, later in enumerate(planned) for earlier in planned[:number]]
    pairs += [(one, other) for one in planned for other in existing]
    found: dict[tuple[str, ...], Overlap] = {}
    for one, other in pairs:
        if one.overlaps(other) and not one.is_of(other):
            items = sorted([(one.domain, one.reference), (other.domain, other.reference)])
            found.setdefault((*items[0], *items[1]), Overlap(one, other))
    return list(found.values())


def appointments_of(person_id: int, planned: Iterable[Appointment]) -> list[Appointment]:
    """What a person teaches or attends in the period of the planned times, in order."""
    planned = list(planned)
    since, until = min(one.starts_at for one in planned), max(one.ends_at for one in planned)
    found = [appointment for handler in handlers() for appointment in handler.busy(person_id, since, until)]
    return sorted(found, key=lambda appointment: appointment.starts_at)
