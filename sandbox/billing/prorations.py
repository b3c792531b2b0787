"""Prorations: what a change within a period credits and costs, by the second (docs: "Prorations")."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.billing.periods import Period


@dataclass(frozen=True)
class Change:
    """An item's cost per period before and after a change, in minor units; None where there was or is no item."""

    before: int | None
    after: int | None

    def credit(self, period: Period, moment: int) -> int | None:
        """The credit for unused paid time: zero or negative. None if nothing was paid."""
        return None if self.before is None else -share(self.before, period, moment)

    def debit(self, period: Period, moment: int) -> int | None:
        """The charge for the remaining time. None if nothing is billed from now on."""
        return None if self.after is None else share(self.after, period, moment)


def share(amount_minor: int, period: Period, moment: int) -> int:
    """The part of an amount for the rest of a period, to the nearest minor unit."""
    if period.seconds <= 0:
        return 0
    exact = Decimal(amount_minor) * period.remaining_at(moment) / period.seconds
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
