"""A dispute as Stripe reported it at one moment, and what may follow. Reports of it may come late, twice, in any order."""

from dataclasses import dataclass

DISPUTE_FEE = 15


@dataclass(frozen=True)
class Snapshot:
    """`movements` are balance transactions: an id, what it takes (less than zero: gives back), and its fee."""

    number: int
    order: object
    disputed: int
    status: str
    movements: tuple = ()

    @property
    def is_inquiry(self):
        return self.status.startswith("warning")

    @property
    def withdrawn(self):
        return sum(claim for _, claim, _ in self.movements)

    @property
    def fees(self):
        return sum(fee for _, _, fee in self.movements)

    @property
    def demand(self):
        is_open = self.status in ("needs_response", "under_review")
        return max(self.disputed, self.withdrawn) if is_open else self.withdrawn

    @property
    def is_lost(self):
        """Or lost in part: something came back, and the rest will not."""
        came_back = any(claim < 0 for _, claim, _ in self.movements)
        return self.status == "lost" or (self.status == "won" and came_back)


def opened(order, amount, *, is_inquiry=False):
    if is_inquiry:
        return Snapshot(0, order, amount, "warning_needs_response")
    return Snapshot(0, order, amount, "needs_response", (("w", amount, DISPUTE_FEE),))


def next_of(last):
    """What may follow, by name."""
    amount = last.disputed

    def then(status, *movements):
        return Snapshot(last.number + 1, last.order, amount, status, (*last.movements, *movements))

    if last.is_inquiry:
        yield "becomes a dispute", then("needs_response", ("w", amount, DISPUTE_FEE))
    elif last.status == "needs_response":
        yield "lost", then("lost")
        yield "won", then("won", ("r", -amount, 0))
        yield "won, money later", then("won")
        yield "won in part", then("won", ("r", -max(1, amount // 3), 0))
    elif last.status == "won" and last.withdrawn == amount:
        yield "reinstated with its fee", then("won", ("r", -amount, -DISPUTE_FEE))
    elif last.status == "lost":
        yield "won after all", then("won", ("r", -amount, 0))
