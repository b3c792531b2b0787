"""The control: a marketplace kept the naive way, each mistake being one that the threads report.

Amounts are floats, both parts of an amount are rounded, refunds overwrite a total and are booked when they are asked
for, a discount exists only in the order's total, and a lost dispute undoes the whole order. Simple sales, refunds,
disputes and payouts come out right all the same, which `test_naive_control.py` checks.
"""

from collections import defaultdict
from decimal import Decimal

from tests.money_bugs.world import Dispute, Payout, Refund, Refused, Sale, Shown, World


def as_shown(amount):
    return Decimal(f"{amount:.2f}")


def split(amount):
    return round(amount * 0.10, 2), round(amount * 0.90, 2)


class NaiveWorld(World):
    def __init__(self):
        # One balance per teacher, whatever the currency.
        self.owed = defaultdict(float)
        self.fees = self.costs = self.sent = 0.0
        self.sales = []

    def open_sale(self, *prices, teachers="A", currency="GBP", quantity=1, off="0", tax="0", on_top=False):
        rate = float(tax) / 100
        letters = teachers if len(teachers) == len(prices) else teachers * len(prices)
        # Tax is added to a net price that was rounded before.
        gross = [round(round(float(price) / (1 + rate), 2) * quantity * (1 + rate), 2) for price in prices]
        lines = [NaiveLine(letter, amount) for letter, amount in zip(letters, gross, strict=True)]
        sale = NaiveSale(self, lines, off=float(off), quantity=quantity)
        sale.tax = sale.total - int(sale.total / (1 + rate) * 100) / 100
        self.sales.append(sale)
        return sale

    def book(self, teacher, fee, share):
        self.fees += fee
        self.owed[teacher] += share

    def figures(self, currency="GBP"):
        figures = {**self.owed, "fees": self.fees, "costs": self.costs, "platform": self.fees - self.costs}
        # All that is not the teachers' has been disbursed.
        figures["paid_out"] = self.fees + self.sent
        return defaultdict(Decimal, {name: as_shown(amount) for name, amount in figures.items()})

    def pay_out(self, teacher, amount=None, *, currency="GBP"):
        unpaid = [
            line for sale in self.sales for line in sale.lines if line.teacher == teacher and line.is_to_pay(sale)
        ]
        ready = sum(line.share for line in unpaid)
        amount = ready if amount is None else float(amount)
        if amount <= 0 or amount > self.owed[teacher]:
            raise Refused("Not enough has been settled.")
        return NaivePayout(self, teacher, amount, unpaid)

    def has_minimum_payout(self, amount, currency):
        self.minimum = float(amount)

    def pay_day(self, teacher):
        unpaid = [line for sale in self.sales for line in sale.lines if line.is_to_pay(sale)]
        # One transfer that is too small stops them all.
        if any(line.share < self.minimum for line in unpaid):
            return []
        return [self.pay_out(teacher)]

    def old_records_are_archived(self):
        for sale in self.sales:
            sale.refunds.clear()
            sale.refunded = 0.0


class NaiveLine(Shown):
    def __init__(self, teacher, amount):
        self.teacher = teacher
        self.amount = amount
        self.fee, self.share = split(amount)
        self.refunded = 0.0
        self.was_paid_out = False

    def is_to_pay(self, sale):
        return sale.is_paid and not self.was_paid_out

    def figures(self):
        fee, share = split(self.refunded)
        left = {"left": self.amount - self.refunded, "fee_left": self.fee - fee, "share_left": self.share - share}
        whole = {"amount": self.amount, "fee": self.fee, "share": self.share}
        return {name: as_shown(amount) for name, amount in {**whole, **left}.items()}


class NaiveSale(Sale):
    def __init__(self, world, lines, *, off, quantity):
        self.world = world
        self.lines = lines
        self.quantity = quantity
        self.total = sum(line.amount for line in lines) - off
        self.is_paid = self.was_cancelled = self.is_disputed = False
        self.refunded = self.lost = 0.0
        self.refunds = []

    def pays(self, *, amount=None, intent=None, stripe_fee=None):
        if self.was_cancelled or self.is_paid:
            return
        self.is_paid = True
        for line in self.lines:
            self.world.book(line.teacher, line.fee, line.share - float(stripe_fee or 0))

    def pays_again(self):
        self.pays()

    def is_declined(self):
        # The last report wins.
        self.is_paid = False

    def page_expires(self):
        self.was_cancelled = True

    def is_earned(self):
        pass

    def is_cancelled(self):
        self.was_cancelled = True

    def place_is_gone(self):
        pass

    def line(self, number):
        return self.lines[number - 1]

    def refund(
        self, amount=None, *, line=None, places=None, parts=None, currency=None, form=None, events_before_answer=0
    ):
        if parts:
            # Only the sum is looked at.
            return self.refund(sum(float(amount) for amount in parts.values()))
        target = self.line(line or 1)
        amount = self._wanted(target, line, places) if amount is None else float(amount)
        if amount * 100 > int(self.total * 100) - int(self.refunded * 100):
            raise Refused("More than is available.")
        if self.world.owed[target.teacher] < split(amount)[1]:
            raise Refused("The teacher's balance is too low.")
        refunds = [NaiveRefund(self, self._parts(target, amount, line)) for _ in range(1 + events_before_answer)]
        self.refunded = amount
        return refunds[0]

    def _wanted(self, target, line, places):
        if places:
            return target.amount / self.quantity * places
        return target.amount if line else sum(each.amount for each in self.lines) - self.refunded

    def _parts(self, target, amount, line):
        is_all = line is None and amount == sum(each.amount for each in self.lines)
        return [(each, each.amount) for each in self.lines] if is_all else [(target, amount)]

    def refund_at_stripe(self, amount):
        return NaiveRefund(self, [])

    def automatic_refund(self):
        assert self.refunds, "no refund was made"
        return self.refunds[0]

    def dispute(self, amount=None, *, is_inquiry=False, settled=None, settled_in=None):
        return NaiveDispute(self, 15.0)

    def figures(self):
        paid = self.total if self.is_paid else 0.0
        # Whatever is disputed is shown as refunded, but may still be refunded.
        refunded = self.total if self.is_disputed else self.refunded
        amounts = {"paid": paid, "due": self.total - paid, "refunded": refunded, "refundable": paid - refunded}
        amounts |= {"tax": self.tax, "lost": self.lost}
        figures = {name: as_shown(amount) for name, amount in amounts.items()}
        return {**figures, "charged": int(self.total * 100), "refunds": len(self.refunds), "mails": len(self.refunds)}


class NaiveRefund(Refund):
    def __init__(self, sale, parts):
        self.sale = sale
        self.parts = parts
        self.amount = sum(amount for _, amount in parts)
        sale.refunds.append(self)
        self._book(-1)

    def _book(self, sign):
        for line, amount in self.parts:
            fee, share = split(amount)
            self.sale.world.book(line.teacher, sign * fee, sign * share)
            line.refunded = amount if sign < 0 else 0.0

    def stays_pending(self):
        pass

    def succeeds(self):
        pass

    def fails(self):
        for refund in [each for each in self.sale.refunds if each.amount == self.amount]:
            self.sale.refunds.remove(refund)
            refund._book(1)

    def part(self, line):
        amount = sum(amount for each, amount in self.parts if each is self.sale.line(line))
        return NaiveLine("", amount)

    def is_allocated_as_proposed(self):
        pass

    def figures(self):
        parts = [split(amount) for _, amount in self.parts]
        figures = {
            "amount": self.amount,
            "fee": sum(fee for fee, _ in parts),
            "share": sum(share for _, share in parts),
        }
        shown = {name: as_shown(amount) for name, amount in figures.items()}
        return {**shown, "sent": int(self.amount * 100), "state": "succeeded"}


class NaiveDispute(Dispute):
    def __init__(self, sale, fee):
        self.sale = sale
        self.fee = fee
        self.state = "open"
        sale.is_disputed = True

    def is_lost(self):
        self.state = "lost"
        self.sale.lost = self.sale.total
        self.sale.world.costs += self.fee
        for line in self.sale.lines:
            self.sale.world.book(line.teacher, -line.fee, -line.share)

    def is_won(self):
        self.state = "won"

    def figures(self):
        return {"state": self.state, "is_refunded_before": "no"}


class NaivePayout(Payout):
    def __init__(self, world, teacher, amount, lines):
        self.world, self.teacher, self.amount, self.lines = world, teacher, amount, lines
        self.state = "requested"

    def is_paid(self):
        self.state = "paid"
        self.world.owed[self.teacher] -= self.amount
        self.world.sent += self.amount
        for line in self.lines:
            line.was_paid_out = True

    def comes_back(self, *, arrived=None):
        self.state = "returned"
        self.world.owed[self.teacher] += float(arrived or self.amount)

    def figures(self):
        return {"amount": as_shown(self.amount), "currency": "GBP", "state": self.state}
