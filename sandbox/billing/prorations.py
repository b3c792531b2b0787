"""Prorations: what a change in the middle of a period gives back and costs, by the second (docs: "Prorations")."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.billing.periods import Period


@dataclass(frozen=True)
class Change:
    """What one item costs a period before and after a change, in minor units; None where there was or is no item."""

    before: int | None
    after: int | None

    def credit(self, period: Period, moment: int) -> int | None:
        """The unused time of what was paid before: zero or negative. None when nothing was."""
        return None if self.before is None else -share(self.before, period, moment)

    def debit(self, period: Period, moment: int) -> int | None:
        """The remaining time of what is billed from now on. None when nothing is."""
        return None if self.after is None else share(self.after, period, moment)


def share(amount_minor: int, period: Period, moment: int) -> int:
    """The part of an amount that falls on the rest of a period, to the nearest minor unit."""
    if period.seconds <= 0:
        return 0
    exact = Decimal(amount_minor) * period.remaining_at(moment) / period.seconds
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
