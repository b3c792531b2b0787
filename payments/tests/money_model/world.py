"""Two orders, two teachers, Stripe's reports and the staff's decisions: the rules in memory beside the plain model."""

from money import Money
from payments.payouts.rules import Happening
from payments.refunds.plan import LinePart, OfLines
from payments.tests.money_model.disputes_in_memory import MemoryDispute
from payments.tests.money_model.in_memory import InMemory, MemoryLine
from payments.tests.money_model.payouts_in_memory import Refused
from payments.tests.money_model.plain import Dispute, Line, Payout, Plain, Refund, fee_of

# Line -> order, teacher, amount, whether it can be delivered. The fee of a third of 1005 is no whole number.
SOLD = {
    1: ("A", 1, 1005, True),
    2: ("A", 2, 335, True),
    3: ("B", 1, 400, True),
    4: ("B", 1, 150, False),
}
LINES_OF = {order: [line for line, facts in SOLD.items() if facts[0] == order] for order in "AB"}
RANK = {"under way": 0, "succeeded": 1, "ended": 2}
SIDE_OF = {"pending": "under way", "succeeded": "succeeded", "failed": "ended"}
SENT = (Happening.APPROVE, Happening.SEND)


class World:
    """Reports are tuples of a kind and facts. `late` have not arrived yet; those that `arrived` may be repeated."""

    def __init__(self):
        self.rules = InMemory()
        self.plain = Plain()
        self.at_stripe = {}
        self.newest = {}
        self.late = ()
        self.arrived = ()

    def copy(self):
        other = World.__new__(World)
        other.rules, other.plain = self.rules.copy(), self.plain.copy()
        other.at_stripe, other.newest = dict(self.at_stripe), dict(self.newest)
        other.late, other.arrived = self.late, self.arrived
        return other

    def key(self):
        """Equal for worlds in which the same will follow. Two hashes of 64 bits instead of the facts themselves."""
        rest = (frozenset(self.at_stripe.items()), frozenset(self.late), frozenset(self.arrived))
        return hash((self.rules.key(), rest)), hash(self.plain.key())

    def report(self, report, *, is_late):
        if is_late:
            self.late = (*self.late, report)
        else:
            self.arrive(report)

    def arrive(self, report):
        """A report that there is no room for yet stays late: it is delivered again."""
        self.rules, before = self.rules.copy(), self.rules
        try:
            self.tell_rules(report)
        except Refused:
            self.rules = before
            self.late = tuple(dict.fromkeys([*self.late, report]))
            return
        self.late = tuple(each for each in self.late if each != report)
        self.arrived = (*self.arrived, report)
        self.tell_plain(report)

    def tell_rules(self, report):
        kind, key, *facts = report
        if kind == "refund":
            self.rules.report_refund(key, *facts)
        elif kind == "refund made at Stripe":
            self.rules.report_refund_made_at_stripe(key, *facts)
        elif kind == "dispute":
            self.rules.report_dispute(key, _as_reported(facts[0]))
        elif kind == "payout":
            for happening in facts[0]:
                if self.rules.may_happen(key, happening):
                    self.rules.payout_happening(key, happening)
        elif kind == "return":
            self.rules.return_payout(key, *facts)

    def tell_plain(self, report):
        kind, key, *facts = report
        if kind == "refund":
            self._refund_is(key, facts[0])
        elif kind == "refund made at Stripe":
            self._refund_made_at_stripe(key, *facts)
        elif kind == "dispute":
            self._dispute_is(key, facts[0])
        elif kind == "payout":
            self._payout_is(key, facts[0])
        elif kind == "return":
            payout = self.plain.payouts[key]
            self.plain.change("payouts", key, returned=payout.returned + facts[0])

    def _refund_is(self, key, status):
        state = SIDE_OF[status]
        if RANK[state] > RANK[self.plain.refunds[key].state]:
            self.plain.change("refunds", key, state=state)
            if state == "ended":
                self.plain.demand_of_disputes(self.plain.refunds[key].order)

    def _refund_made_at_stripe(self, key, order, amount, status):
        plain = self.plain
        if key in plain.refunds:
            self._refund_is(key, status)
            return
        if status != "failed":
            plain.demand_of_disputes(order, reserved=amount)
        left = [line for line in LINES_OF[order] if plain.left_of(line)]
        is_clear = amount == plain.left_of_order(order) or len(left) == 1
        plain.refunds[key] = Refund(order, amount, state=SIDE_OF[status])
        if status != "failed" and is_clear and amount <= plain.left_of_order(order):
            self.allocate_plainly(key)

    def _dispute_is(self, key, snapshot):
        """The newest report counts, whenever it arrives."""
        if snapshot.number <= self.newest.get(key, -1):
            return
        self.newest[key] = snapshot.number
        parts = self.plain.disputes[key].parts if key in self.plain.disputes else ()
        self.plain.disputes[key] = Dispute(
            snapshot.order, snapshot.demand, parts, snapshot.withdrawn, snapshot.fees, is_lost=snapshot.is_lost
        )
        self.plain.demand_of_disputes(snapshot.order)

    def _payout_is(self, key, happenings):
        state = self.plain.payouts[key].state
        if Happening.CONFIRM in happenings:
            self.plain.change("payouts", key, state="paid")
        elif happenings[-1] in (Happening.REFUSE, Happening.DECLINE) and state == "claimed":
            self.plain.change("payouts", key, state="given back")

    # --- What people decide: at once, in both ---------------------------------------------------------------------

    def sell(self, order):
        lines = {pk: SOLD[pk] for pk in LINES_OF[order]}
        self.rules.settle(
            order,
            [
                MemoryLine(pk, teacher, "GBP", amount, fee_of(amount), amount - fee_of(amount), is_delivered=can)
                for pk, (_, teacher, amount, can) in lines.items()
            ],
        )
        self.plain.orders[order] = tuple(lines)
        for pk, (_, teacher, amount, can) in lines.items():
            self.plain.lines[pk] = Line(teacher, amount, fee_of(amount), is_delivered=can)
        undeliverable = {pk: amount for pk, (_, _, amount, can) in lines.items() if not can}
        if undeliverable:
            key = f"undeliverable-{order}"
            self.refund(key, order, OfLines([LinePart(line_id=pk) for pk in undeliverable]), undeliverable)
            self.at_stripe[key] = ("pending", sum(undeliverable.values()))

    def allocate_plainly(self, key):
        plain, refund = self.plain, self.plain.refunds[key]
        amounts = plain.spread_over(refund.order, plain.unallocated(refund))
        plain.change("refunds", key, parts=(*refund.parts, *plain.parts_of_lines(amounts)))

    def refund(self, key, order, wanted, amounts):
        """`wanted` for the rules; `amounts` of each line for the plain model."""
        self.rules.request_refund(key, order, wanted)
        parts = self.plain.parts_of_lines(amounts)
        self.plain.refunds[key] = Refund(order, sum(part.amount for part in parts), parts)

    def request_payout(self, key, teacher):
        available = self.plain.figures().get(("teacher_available", teacher), 0)
        self.rules.request_payout(key, teacher)
        self.plain.payouts[key] = Payout(teacher, available)

    def mature(self, pk):
        self.rules.mature(pk)
        self.plain.change("lines", pk, has_matured=True)

    def pay_again(self, order):
        amount = sum(SOLD[pk][2] for pk in LINES_OF[order])
        self.rules.pay_again(order, amount)
        self.plain.second_payments[order] = amount
        self.plain.refunds[f"second-{order}"] = Refund(order, amount, is_of_second_payment=True)
        self.at_stripe[f"second-{order}"] = ("pending", amount)


def _as_reported(snapshot):
    return MemoryDispute(snapshot.order, snapshot.disputed, snapshot.status, snapshot.is_inquiry, snapshot.movements)


def money(minor):
    return Money(minor, "GBP")
