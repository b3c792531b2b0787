"""A domain for these tests: items with a price and a number of places. It records the calls it gets."""

from collections import Counter
from datetime import timedelta

from django.utils import timezone

from money.limits import half_of
from payments.contracts import (
    CancellationTerms,
    CannotDeliver,
    CannotReceive,
    DomainHandler,
    NotForSale,
    Place,
    Quote,
    RefundStep,
    SoldOut,
)


class SampleDomain(DomainHandler):
    domain = "sample"
    label = "Sample"
    revoke_one, revoke_many = "Give the sample back", "Give the samples back"
    revoked_one, revoked_many = "1 sample given back", "{count} samples given back"
    delivery_action = "Open sample"
    earned_by = "a sample at once"
    can_be_given = True

    def __init__(self):
        self.clear()

    def clear(self):
        self.prices = {}
        self.places = {}
        self.teacher_id = None
        # Of items that have a teacher of their own.
        self.teacher_ids = {}
        self.calls = Counter()
        self.revoked = {}
        self.fails_with = None
        self.undeliverable = set()
        self.quote_calls = 0
        self.commission_bps = None
        # Who has what a line delivered, for gifts that were redeemed.
        self.holders = {}
        self.refuses_receiver = ""
        # The keys of the places that each line has now.
        self.delivered = {}
        self.full_until = timezone.now() + timedelta(days=7)
        self.half_until = timezone.now() + timedelta(days=9)
        self.closes_at = timezone.now() + timedelta(days=10)
        self.earned = None

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
            teacher_id=self.teacher_ids.get(item.reference, self.teacher_id),
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
        self.delivered.setdefault(line.id, [str(number) for number in range(1, line.quantity + 1)])

    def keep_gift(self, line):
        self.calls["keep_gift", line.reference] += 1
        if line.reference in self.undeliverable:
            raise CannotDeliver("The place is gone.")
        self.delivered.setdefault(line.id, ["1"])

    def hand_over(self, line):
        self.calls["hand_over", line.reference] += 1
        if self.refuses_receiver:
            raise CannotReceive(self.refuses_receiver)
        self.holders[line.id] = line.holder_id

    def release(self, line):
        self.calls["release", line.reference] += 1

    def revoke(self, line, quantity, reason, places=()):
        self.calls["revoke", line.reference] += 1
        self.revoked[line.id] = (quantity, reason)
        self.holders.pop(line.id, None)
        delivered = self.delivered.setdefault(line.id, [])
        named = [key for key in places if key in delivered]
        gone = [*named, *(key for key in reversed(delivered) if key not in named)]
        for key in gone[: max(quantity - (line.quantity - len(delivered)), 0)]:
            delivered.remove(key)

    def cancellation_terms(self, line):
        """All until `full_until`, half until `half_until`, nothing after that."""
        return CancellationTerms(
            steps=[
                RefundStep(amount=line.amount, until=self.full_until),
                RefundStep(amount=half_of(line.amount), until=self.half_until),
            ],
            places=[Place(key=key, label=f"Place {key}") for key in self.delivered.get(line.id, [])],
            closes_at=self.closes_at,
        )

    def refund_offer(self, line, at):
        return DomainHandler.refund_offer(self, line, at)

    def earned_at(self, line):
        return self.earned

    def busy(self, person_id, since, until):
        return ()

    def delivery_url(self, line):
        return "/"


SAMPLE = SampleDomain()
