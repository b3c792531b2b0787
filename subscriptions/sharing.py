"""How the money of a paid period is divided: into credits and slices of access, and a slice among teachers by use.

Pure and free of Django. Amounts are whole minor units; every division adds up to what was divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from money import Money, split_by_rate
from money.shares import Split, divide

# An average month of the Gregorian calendar.
_MONTH = timedelta(days=365.2425) / 12
# What a lesson of a course counts for, once in each slice: when it is opened, and as much again when it is finished.
OPENED, FINISHED = 1, 1


@dataclass(frozen=True, slots=True)
class Slice:
    """Access for part of a period, about a month, and the money that is shared for it."""

    starts_at: datetime
    ends_at: datetime
    amount_minor: int


@dataclass(frozen=True, slots=True)
class TeacherPart:
    """What one teacher's lessons earn of a slice, divided between teacher and platform."""

    teacher_id: int
    points: int
    split: Split


@dataclass(frozen=True, slots=True)
class SharedSlice:
    """The teachers' parts of a slice, and what was not earned by use, which is the platform's."""

    parts: Sequence[TeacherPart]
    rest: Money


def values_of_credits(paid_minor: int, *, count: int, value_minor: int) -> list[int]:
    """What each credit of a period is worth: the value its plan names, or equal parts if less than that was paid."""
    if count * value_minor <= paid_minor:
        return [value_minor] * count
    return divide(paid_minor, [1] * count)


def slices_of(starts_at: datetime, ends_at: datetime, amount_minor: int) -> list[Slice]:
    """Divide access into slices of equal length, as many as the period has months, so that a year is shared monthly."""
    length = ends_at - starts_at
    count = max(1, round(length / _MONTH))
    bounds = [starts_at + length * number / count for number in range(count)] + [ends_at]
    amounts = divide(amount_minor, [1] * count)
    return [Slice(bounds[number], bounds[number + 1], amounts[number]) for number in range(count)]


def share_by_use(amount: Money, points: Mapping[int, int], rates_bps: Mapping[int, int]) -> SharedSlice:
    """Share a slice among teachers by the points of their lessons, each part less commission in basis points.

    Teachers are in the order of their ids, so that a repeat gives the odd minor unit to the same one.
    """
    used = [(teacher_id, points[teacher_id]) for teacher_id in sorted(points) if points[teacher_id]]
    if not used:
        return SharedSlice(parts=[], rest=amount)
    amounts = divide(amount.minor, [number for _, number in used])
    parts = [
        TeacherPart(
            teacher_id=teacher_id,
            points=number,
            split=split_by_rate(Money(minor, amount.currency), rates_bps[teacher_id]),
        )
        for (teacher_id, number), minor in zip(used, amounts, strict=True)
    ]
    return SharedSlice(parts=parts, rest=Money.zero(amount.currency))
