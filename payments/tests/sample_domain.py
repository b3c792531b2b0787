"""A domain for these tests: items with a price and a number of places. It records the calls it gets."""

from collections import Counter
from datetime import timedelta

from money import Money
from payments.contracts import CannotDeliver, NotForSale, Quote, SoldOut


class SampleDomain:
    domain = "sample"
    label = "Sample"

    def __init__(self):
        self.clear()

    def clear(self):
        self.prices = {}
        self.places = {}
        self.teacher_id = None
        self.calls = Counter()
        self.fails_with = None
        self.undeliverable = set()
        self.quote_calls = 0
        self.commission_bps = None

    def offer(self, reference, *, prices, places=10):
        self.prices[reference] = {money.currency: money for money in prices}
        self.places[reference] = places

    def quote(self, items, buyer_id):
        self.quote_calls += 1
        return [self._quote(item) for item in items]

    def _quote(self, item):
        if item.reference not in self.prices:
            return NotForSale("This is withdrawn.")
        return Quote(
            title=f"Sample {item.reference}",
            unit_prices=self.prices[item.reference],
            teacher_id=self.teacher_id,
            url="/",
            quantity_limit=self.places[item.reference],
            policy={"frozen": True},
            commission_bps=self.commission_bps,
        )

    def reserve(self, line, until):
        self.calls["reserve", line.reference] += 1
        if self.places[line.reference] < line.quantity:
            raise SoldOut("The last place has just gone.")

    def fulfil(self, line):
        self.calls["fulfil", line.reference] += 1
        if self.fails_with:
            raise self.fails_with
        if line.reference in self.undeliverable:
            raise CannotDeliver("The place is gone.")

    def release(self, line):
        self.calls["release", line.reference] += 1

    def revoke(self, line, reason):
        self.calls["revoke", line.reference] += 1

    def refund_offer(self, line, at):
        return Money.zero(line.amount.currency)

    def earned_at(self, line):
        return line and timedelta(0)

    def delivery_url(self, line):
        return "/"


SAMPLE = SampleDomain()
