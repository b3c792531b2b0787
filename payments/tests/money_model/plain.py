"""What everyone has, from first principles: facts and sums, without journals. The books are compared with it.

All amounts are minor units of one currency. Figures are as readers see them: what a teacher is owed is positive, and so
are the platform's money, income and costs.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class Line:
    teacher: int
    amount: int
    fee: int
    is_delivered: bool = True
    has_matured: bool = False

    @property
    def share(self):
        return self.amount - self.fee


@dataclass(frozen=True)
class Part:
    """What a refund or dispute takes of one line."""

    line: object
    amount: int
    fee: int

    @property
    def share(self):
        return self.amount - self.fee


@dataclass(frozen=True)
class Refund:
    """`state` is "under way", "succeeded" or "ended"."""

    order: object
    amount: int
    parts: tuple = ()
    state: str = "under way"
    is_of_second_payment: bool = False


@dataclass(frozen=True)
class Dispute:
    """`withdrawn` is what Stripe holds because of it; `fees` what Stripe keeps for it. A lost one keeps both for good.

    `demand` is what must not be refunded or paid out because of it: while it is open, all that the student disputes.
    """

    order: object
    demand: int = 0
    parts: tuple = ()
    withdrawn: int = 0
    fees: int = 0
    is_lost: bool = False


@dataclass(frozen=True)
class Payout:
    """`state` is "claimed", "paid" or "given back"."""

    teacher: int
    amount: int
    state: str = "claimed"
    returned: int = 0
    cost: int = 0
    is_by_bank: bool = False


@dataclass
class Plain:
    """The facts of one currency, which Stripe moves in steps of minor units. Keys are what the test calls things by."""

    step: int = 1
    orders: dict = field(default_factory=dict)  # order -> its lines' keys
    lines: dict = field(default_factory=dict)
    second_payments: dict = field(default_factory=dict)  # order -> amount
    refunds: dict = field(default_factory=dict)
    disputes: dict = field(default_factory=dict)
    payouts: dict = field(default_factory=dict)
    stripe_fees: dict = field(default_factory=dict)  # payment -> fee

    def copy(self):
        return Plain(self.step, **{name: dict(facts) for name, facts in self._facts().items()})

    def key(self):
        return tuple(frozenset(facts.items()) for facts in self._facts().values())

    def _facts(self):
        return {name: facts for name, facts in vars(self).items() if name != "step"}

    # --- What is left ------------------------------------------------------------------------------------------

    def taken_of(self, line):
        """The parts that live refunds and disputes have of a line."""
        live = [refund for refund in self.refunds.values() if refund.state != "ended"]
        return [part for each in [*live, *self.disputes.values()] for part in each.parts if part.line == line]

    def left_of(self, line):
        return self.lines[line].amount - sum(part.amount for part in self.taken_of(line))

    def left_of_order(self, order):
        return sum(self.left_of(line) for line in self.orders[order])

    def share_left_of(self, line):
        return self.lines[line].share - sum(part.share for part in self.taken_of(line))

    def unallocated(self, refund):
        return refund.amount - sum(part.amount for part in refund.parts)

    def refundable_of_payment(self, order):
        """Less than what is left of the lines while a refund made at Stripe waits for its allocation."""
        waiting = sum(
            self.unallocated(refund)
            for refund in self.refunds.values()
            if refund.order == order and refund.state != "ended" and not refund.is_of_second_payment
        )
        return self.left_of_order(order) - waiting

    # --- What a part is made of --------------------------------------------------------------------------------

    def part_of(self, line, amount):
        """Fee given back in all = half up(fee × refunded ÷ amount), as near as what is left of fee and share allows."""
        facts, taken = self.lines[line], self.taken_of(line)
        in_all = floor(
            Fraction(facts.fee * (sum(part.amount for part in taken) + amount), facts.amount) + Fraction(1, 2)
        )
        fee_left = facts.fee - sum(part.fee for part in taken)
        wished = in_all - (facts.fee - fee_left)
        most, least = min(amount, fee_left), max(0, amount - self.share_left_of(line))
        return Part(line, amount, min(max(wished, least), most))

    def parts_of_lines(self, amounts):
        return tuple(self.part_of(line, amount) for line, amount in amounts.items() if amount)

    def spread_over(self, order, amount):
        """An amount over what is left of each line, in proportion."""
        lines = self.orders[order]
        return dict(zip(lines, self._spread(amount, [self.left_of(line) for line in lines]), strict=True))

    def _spread(self, amount, over):
        """In whole steps, if all of it is."""
        step = 1 if any(each % self.step for each in (amount, *over)) else self.step
        return [part * step for part in largest_remainder(amount // step, [each // step for each in over])]

    def kept_back(self, teacher):
        """What refunds that wait for their allocation may still take of the teacher's matured shares."""
        kept = 0
        for order, lines in self.orders.items():
            waiting = self.left_of_order(order) - self.refundable_of_payment(order)
            own = [line for line in lines if self.lines[line].teacher == teacher and self.lines[line].has_matured]
            kept += min(waiting, sum(self.share_left_of(line) for line in own))
        return kept

    def demand_of_disputes(self, order, *, reserved=0):
        """Refunds come first. A dispute takes of the lines what it demands, if as much is left.

        Twice, because what one gives back another may demand.
        """
        for key in [*self.disputes] * 2:
            dispute = self.disputes[key]
            if dispute.order == order:
                has = sum(part.amount for part in dispute.parts)
                takes = max(0, min(dispute.demand, self.refundable_of_payment(order) + has - reserved))
                self.change("disputes", key, parts=self._parts_of_dispute(dispute, takes - has))

    def _parts_of_dispute(self, dispute, more):
        parts = {part.line: part for part in dispute.parts}
        if more > 0:
            new = self.parts_of_lines(self.spread_over(dispute.order, more))
            return tuple(_together(part, parts.get(part.line)) for part in new) + tuple(
                part for line, part in parts.items() if line not in {each.line for each in new}
            )
        given = self._spread(-more, [part.amount for part in parts.values()]) if more else [0] * len(parts)
        kept = [_kept(part, part.amount - back) for part, back in zip(parts.values(), given, strict=True)]
        return tuple(part for part in kept if part.amount)

    # --- What everyone has -------------------------------------------------------------------------------------

    def figures(self):
        """Every account that is not at zero, by kind and teacher."""
        sums = {}

        def add(kind, amount, teacher=None):
            sums[kind, teacher] = sums.get((kind, teacher), 0) + amount

        self._count_lines(add)
        self._count_refunds(add)
        self._count_disputes(add)
        self._count_payouts(add)
        for amount in self.second_payments.values():
            add("stripe_clearing", amount)
            add("refunds_due", amount)
        for fee in self.stripe_fees.values():
            add("stripe_fees", fee)
            add("stripe_clearing", -fee)
        return {key: amount for key, amount in sums.items() if amount}

    def _count_lines(self, add):
        for key, line in self.lines.items():
            add("stripe_clearing", line.amount)
            if not line.is_delivered:
                add("refunds_due", line.amount)
                continue
            add("platform_fees", line.fee)
            add("teacher_available" if line.has_matured else "teacher_pending", self.share_left_of(key), line.teacher)

    def _count_refunds(self, add):
        for refund in self.refunds.values():
            if refund.state == "under way":
                self._count_held(add, refund)
            if refund.state == "succeeded":
                add("stripe_clearing", -refund.amount)
                if refund.is_of_second_payment:
                    add("refunds_due", -refund.amount)
                    continue
                add("refunds_to_allocate", self.unallocated(refund))
                self._count_lost(add, refund)

    def _count_disputes(self, add):
        for dispute in self.disputes.values():
            add("stripe_clearing", -dispute.withdrawn - dispute.fees)
            add("dispute_fees", dispute.fees)
            if not dispute.is_lost:
                add("funds_in_dispute", dispute.withdrawn)
                self._count_held(add, dispute)
            else:
                self._count_lost(add, dispute)
                # No teacher loses more than the share that is left; the rest is the platform's loss.
                add("platform_losses", dispute.withdrawn - sum(part.amount for part in dispute.parts))

    def _count_held(self, add, taking):
        for part in taking.parts:
            if self.lines[part.line].is_delivered:
                add("teacher_held", part.share, self.lines[part.line].teacher)

    def _count_lost(self, add, taking):
        for part in taking.parts:
            if self.lines[part.line].is_delivered:
                add("platform_fees", -part.fee)
            else:
                add("refunds_due", -part.amount)

    def _count_payouts(self, add):
        for payout in self.payouts.values():
            if payout.state == "given back":
                continue
            add("teacher_available", payout.returned - payout.amount, payout.teacher)
            if payout.state == "claimed":
                add("teacher_in_payout", payout.amount, payout.teacher)
            else:
                add("bank" if payout.is_by_bank else "stripe_clearing", payout.returned - payout.amount - payout.cost)
                add("payout_fees", payout.cost)

    # --- Facts that change -------------------------------------------------------------------------------------

    def change(self, kind, key, **changes):
        facts = getattr(self, kind)
        facts[key] = replace(facts[key], **changes)


def _together(part, other):
    return Part(part.line, part.amount + other.amount, part.fee + other.fee) if other else part


def _kept(part, amount):
    """The fee in proportion to what is kept."""
    return Part(part.line, amount, floor(Fraction(part.fee * amount, part.amount) + Fraction(1, 2)))


def fee_of(amount, rate_bps=1000):
    return floor(Fraction(amount * rate_bps, 10_000) + Fraction(1, 2))


def largest_remainder(amount, over):
    whole = sum(over)
    ideal = [Fraction(amount * each, whole) if whole else Fraction(0) for each in over]
    parts = [floor(each) for each in ideal]
    by_remainder = sorted(range(len(over)), key=lambda at: (parts[at] - ideal[at], at))
    for at in by_remainder[: amount - sum(parts)]:
        parts[at] += 1
    return parts
