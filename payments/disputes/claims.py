"""What a dispute takes of its payment, by its state at Stripe. Pure, in minor units; free of Django.

The books follow Stripe's balance transactions. The status only says whether more may still be taken (an open dispute
whose withdrawal is not booked yet), and whether what was taken is lost for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from money import Money
from money.amounts import exponent
from money.limits import limits_of
from payments.disputes.stripe_objects import StripeDisputeMovement


class DisputeStatus(StrEnum):
    """Stripe's statuses that we know."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


_S = DisputeStatus
# The case is over. With any other status, also one that Stripe may add, it is open: what was taken is held.
CLOSED: Final = frozenset([_S.WARNING_CLOSED, _S.WON, _S.LOST, _S.PREVENTED])


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A dispute's state: its status and the sums of its movements, in minor units of the payment's currency.

    `disputed` is what the cardholder disputes, as far as it can be said in that currency.
    """

    status: str
    is_charge_refundable: bool
    disputed: int
    withdrawn: int = 0
    reinstated: int = 0

    @property
    def taken(self) -> int:
        """What Stripe has taken and not given back. Below zero if it gave back more."""
        return self.withdrawn - self.reinstated

    @property
    def claim(self) -> int:
        """What must not be refunded or paid out: what was taken, or, while it may still be taken, what is disputed.

        Stripe says of each dispute whether its charge is refundable. An inquiry's is, so it claims nothing.
        """
        may_be_taken = self.status not in CLOSED and not self.is_charge_refundable
        return max(self.taken, self.disputed if may_be_taken else 0, 0)

    @property
    def is_final(self) -> bool:
        """Whether what was taken and not given back is lost for good: it is once the case is over, however that is called.

        Only a dispute that was won waits for the balance transaction that gives the money back. If that gives back a
        part, the rest is lost.
        """
        return self.status in CLOSED and (self.status != _S.WON or self.reinstated > 0)


def claim_of_movement(movement: StripeDisputeMovement, *, disputed: Money, taken: int) -> int:
    """What a movement takes (positive) or gives back (negative), in minor units of `disputed`'s currency.

    `taken` is what the dispute's earlier movements took. In another currency it is converted back at the movement's own
    rate, to whole steps in which the payment's currency is charged; a result that rounding alone separates from the whole
    is the whole.
    """
    amount = -movement.amount.minor
    if movement.amount.currency == disputed.currency or amount == 0:
        return amount
    whole = disputed.minor if amount > 0 else -taken
    if movement.exchange_rate is None:
        return whole
    # One minor unit of the account's currency is this many of the payment's.
    unit = Decimal(10) ** (exponent(disputed.currency) - exponent(movement.amount.currency)) / movement.exchange_rate
    if abs(_rounded(amount * unit) - whole) <= unit + 1:
        return whole
    step = limits_of(disputed.currency).step.minor
    return _rounded(amount * unit / step) * step


def _rounded(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def sums_of(claims: Sequence[int]) -> tuple[int, int]:
    """What movements with these claims took, and what they gave back."""
    return sum(claim for claim in claims if claim > 0), -sum(claim for claim in claims if claim < 0)
