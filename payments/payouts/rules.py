"""The life of a payout: what may happen in each state, where it leads, and which money moves. Free of Django.

The claimed money leaves a teacher's available balance with the request, and comes back at most once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PayoutStatus(StrEnum):
    """The states of a payout, as stored."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"
    DECLINED = "declined"
    RETURNED = "returned"


class Happening(StrEnum):
    """What can happen to a payout. Returned money is counted by `after_return`."""

    APPROVE = "approve"
    DECLINE = "decline"
    RECORD_BANK_TRANSFER = "record_bank_transfer"
    # The request to Stripe is about to leave.
    SEND = "send"
    LOSE_ANSWER = "lose_answer"
    # Stripe certainly has not made the transfer, and may make it later: the balance was too low.
    POSTPONE = "postpone"
    REFUSE = "refuse"
    # The transfer exists at Stripe.
    CONFIRM = "confirm"


class Movement(StrEnum):
    """Which of the claimed money moves."""

    NONE = "none"
    GIVE_BACK = "give_back"
    PAY = "pay"
    # The claim was given back before, so it is made again, which may leave a debt.
    CLAIM_AGAIN_AND_PAY = "claim_again_and_pay"


@dataclass(frozen=True, slots=True)
class Step:
    """The state that follows, and the money that moves with it."""

    status: PayoutStatus
    movement: Movement = Movement.NONE


class HappeningNotPossible(Exception):
    """This cannot happen in the payout's state. `status` says which state that is."""

    def __init__(self, status: PayoutStatus, happening: Happening) -> None:
        super().__init__(f"A payout that is {status.value} cannot {happening.value.replace('_', ' ')}.")
        self.status = status
        self.happening = happening


_S = PayoutStatus
_H = Happening
# Claimed money is still in the account of payouts.
OPEN: Final = frozenset([_S.REQUESTED, _S.APPROVED, _S.SENT, _S.UNKNOWN])
# The claim was given back to the available balance.
GIVEN_BACK: Final = frozenset([_S.FAILED, _S.DECLINED])
# The money has left the platform, even if it came back later.
LEFT: Final = frozenset([_S.PAID, _S.RETURNED])

_STEPS: Final[Mapping[tuple[PayoutStatus, Happening], Step]] = {
    (_S.REQUESTED, _H.APPROVE): Step(_S.APPROVED),
    (_S.REQUESTED, _H.DECLINE): Step(_S.DECLINED, Movement.GIVE_BACK),
    (_S.REQUESTED, _H.RECORD_BANK_TRANSFER): Step(_S.PAID, Movement.PAY),
    # Until the request to Stripe leaves, staff may still change their mind.
    (_S.APPROVED, _H.DECLINE): Step(_S.DECLINED, Movement.GIVE_BACK),
    (_S.APPROVED, _H.SEND): Step(_S.SENT),
    (_S.APPROVED, _H.REFUSE): Step(_S.FAILED, Movement.GIVE_BACK),
    (_S.SENT, _H.SEND): Step(_S.SENT),
    (_S.SENT, _H.LOSE_ANSWER): Step(_S.UNKNOWN),
    (_S.SENT, _H.POSTPONE): Step(_S.APPROVED),
    (_S.SENT, _H.REFUSE): Step(_S.FAILED, Movement.GIVE_BACK),
    (_S.UNKNOWN, _H.SEND): Step(_S.UNKNOWN),
    (_S.UNKNOWN, _H.LOSE_ANSWER): Step(_S.UNKNOWN),
    (_S.UNKNOWN, _H.POSTPONE): Step(_S.APPROVED),
    (_S.UNKNOWN, _H.REFUSE): Step(_S.FAILED, Movement.GIVE_BACK),
    # A transfer that exists has taken the money, whatever was believed before: after a restored backup, too.
    **{(status, _H.CONFIRM): Step(_S.PAID, Movement.PAY) for status in OPEN},
    **{(status, _H.CONFIRM): Step(_S.PAID, Movement.CLAIM_AGAIN_AND_PAY) for status in GIVEN_BACK},
    **{(status, _H.CONFIRM): Step(status) for status in LEFT},
}


def step_after(status: PayoutStatus, happening: Happening) -> Step:
    """What follows if this happens to a payout in this state. Raises HappeningNotPossible."""
    try:
        return _STEPS[status, happening]
    except KeyError:
        raise HappeningNotPossible(status, happening) from None


def may_happen(status: PayoutStatus, happening: Happening) -> bool:
    """Whether this may happen to a payout in this state."""
    return (status, happening) in _STEPS


class ReturnNotPossible(Exception):
    """More came back than was paid out, or nothing was paid out."""


def after_return(status: PayoutStatus, *, paid_minor: int, returned_minor: int, part_minor: int) -> PayoutStatus:
    """The state once `part_minor` more of a payout came back. Raises ReturnNotPossible."""
    total = returned_minor + part_minor
    if status not in LEFT or part_minor <= 0 or total > paid_minor:
        raise ReturnNotPossible(f"{part_minor} of {paid_minor} after {returned_minor}, {status.value}")
    return PayoutStatus.RETURNED if total == paid_minor else PayoutStatus.PAID
