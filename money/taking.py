"""What of an amount belongs to whom, and how parts of it are taken and given back without a remainder."""

from __future__ import annotations

from dataclasses import dataclass

from money.shares import GivenBack, part_to_give_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An amount in minor units: the tax in it that the platform owes, the platform's fee, and the teacher's share, the rest.

    Tax that the teacher owes is part of the share.
    """

    amount: int = 0
    fee: int = 0
    tax: int = 0

    @property
    def net(self) -> int:
        """Fee and share: what platform and teacher divide."""
        return self.amount - self.tax

    @property
    def share(self) -> int:
        return self.net - self.fee

    def __add__(self, other: Parts) -> Parts:
        return Parts(amount=self.amount + other.amount, fee=self.fee + other.fee, tax=self.tax + other.tax)

    def __sub__(self, other: Parts) -> Parts:
        return Parts(amount=self.amount - other.amount, fee=self.fee - other.fee, tax=self.tax - other.tax)


NOTHING = Parts()


def take(amount: int, *, of: Parts, so_far: Parts) -> Parts:
    """The parts of the next `amount` taken from a whole of which `so_far` is gone.

    The tax follows the running total of the amounts, the fee that of what is left without the tax: any sequence takes
    exactly the whole of each. Raises ValueError for an amount that is not positive or exceeds what is left.
    """
    tax = part_to_give_back(
        amount,
        of=GivenBack(amount=of.amount, part=of.tax),
        so_far=GivenBack(amount=so_far.amount, part=so_far.tax),
    )
    net = amount - tax
    if not net:
        return Parts(amount=amount, tax=tax)
    fee = part_to_give_back(
        net, of=GivenBack(amount=of.net, part=of.fee), so_far=GivenBack(amount=so_far.net, part=so_far.fee)
    )
    return Parts(amount=amount, fee=fee, tax=tax)


def keep(amount: int, *, of: Parts) -> Parts:
    """The parts of `amount` that is kept of a whole, halves up: none of what is given back is negative."""
    tax = _half_up(of.tax, amount, of.amount)
    return Parts(amount=amount, fee=_half_up(of.fee, amount - tax, of.net), tax=tax)


def _half_up(whole: int, part: int, of: int) -> int:
    return (2 * whole * part + of) // (2 * of) if of else 0
