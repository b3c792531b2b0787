"""The life of a refund: which report of Stripe's changes its status, and which money moves then. Free of Django.

Reports arrive late, twice and in any order. A refund that succeeded may still fail, because the card was closed; one
that failed stays failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class RefundStatus(StrEnum):
    """The statuses of a refund, as stored."""

    REQUESTED = "requested"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Booking(Enum):
    """Which of the refund's money moves."""

    NOTHING = "nothing"
    # What was held leaves to the student.
    TAKE = "take"
    # What was held goes back to those it was held from.
    RELEASE = "release"
    # What had left comes back to those who gave it.
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Change:
    """The status that a report leads to, and the money that moves with it."""

    status: RefundStatus
    booking: Booking


_S = RefundStatus
UNDER_WAY: Final = frozenset([_S.REQUESTED, _S.PENDING, _S.REQUIRES_ACTION])
# Final. Their amounts do not count as refunded.
ENDED: Final = frozenset([_S.FAILED, _S.CANCELED])


def read_status(text: str) -> RefundStatus:
    """Stripe's status as ours. One that Stripe may add one day counts as pending: nothing is released because of it."""
    if text == RefundStatus.REQUESTED:
        return RefundStatus.PENDING
    try:
        return RefundStatus(text)
    except ValueError:
        return RefundStatus.PENDING


def change_after(status: str, reported: RefundStatus) -> Change | None:
    """What a report changes; None if the refund is in that status already, or beyond it."""
    before = RefundStatus(status)
    if before == reported or before in ENDED:
        return None
    if reported in ENDED:
        return Change(reported, Booking.RESTORE if before == _S.SUCCEEDED else Booking.RELEASE)
    if before == _S.SUCCEEDED:
        return None
    return Change(reported, booking_of_new(reported))


def booking_of_new(reported: RefundStatus) -> Booking:
    """The money that moves with the first report of a refund that has not ended."""
    return Booking.TAKE if reported == _S.SUCCEEDED else Booking.NOTHING
