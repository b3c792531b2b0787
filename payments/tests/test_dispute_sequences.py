"""Any sequence of refunds and a dispute, reported in any order and repeatedly, against a plain model of the money."""

import uuid

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from jobs.invariants import broken
from ledger.entries import AccountKind
from money import Money
from payments.disputes.recording import record_dispute
from payments.invariants import INVARIANTS
from payments.models import Refund
from payments.refunds.plan import OverAllLines, RefundRefused
from payments.tests.disputing import book, moved, said
from payments.tests.factories import paid_order, refunded
from payments.tests.test_disputes import confirmed, mature, teacher_of

pytestmark = pytest.mark.django_db
# Every amount is a multiple of this, so that a tenth of it is exact and the model needs no rounding.
STEP = 1000
FEE = 1500


class World:
    """What happened at Stripe, what was reported of it, and what must be in the books because of that."""

    def __init__(self, currency, steps):
        self.currency = currency
        self.whole = steps * STEP
        self.payment = paid_order(self.whole, currency=currency)
        self.teacher = teacher_of(self.payment)
        self.opening = {kind: self.read(kind) for kind in OF_PLATFORM}
        self.refunds = {}
        self.dispute_id = f"du_{uuid.uuid4().hex}"
        self.disputed = 0
        self.status, self.movements, self.is_refundable = "", [], True
        self.reports = []
        self.is_mature = False

    def read(self, kind):
        return book(kind, self.currency, self.teacher if kind.startswith("teacher") else None)

    # --- What happens, each with its report ---

    def refund(self, steps):
        amount = steps * STEP
        try:
            refund = refunded(self.payment, OverAllLines(Money(amount, self.currency)))
        except RefundRefused:
            assert amount > self.whole - self.refunded_or_about_to_be - self.claimed
            event("a refund is refused")
            return
        assert amount <= self.whole - self.refunded_or_about_to_be - self.claimed
        self.refunds[refund.pk] = (amount, "pending")
        confirmed(refund, "pending")

    def confirm(self, which, status):
        candidates = [pk for pk, (_, now) in self.refunds.items() if now != "failed"]
        if candidates:
            pk = candidates[which % len(candidates)]
            amount, now = self.refunds[pk]
            if not (now == "succeeded" and status == "succeeded"):
                self.refunds[pk] = (amount, status)
            confirmed(Refund.objects.get(pk=pk), status)

    def ask(self, steps):
        """The bank inquires."""
        if not self.status:
            self.disputed = steps * STEP
            self.now("warning_needs_response", is_refundable=True)

    def open(self, steps):
        if self.status in ("", "warning_needs_response"):
            self.disputed = self.disputed or steps * STEP
            self.movements = [*self.movements, moved(-self.disputed, currency=self.currency, fee=FEE, after=1)]
            self.now("needs_response", is_refundable=False)

    def answer(self):
        if self.status == "needs_response":
            self.now("under_review", is_refundable=False)

    def lose(self):
        if self.status in ("needs_response", "under_review", "won"):
            self.now("lost", is_refundable=False)

    def win(self, steps):
        """All of it comes back, or a part."""
        if self.status in ("needs_response", "under_review", "lost") and self.taken:
            back = min(steps * STEP, self.taken)
            after = len(self.movements) + 1
            self.movements = [*self.movements, moved(back, currency=self.currency, after=after)]
            self.now("won", is_refundable=True)

    def now(self, status, *, is_refundable):
        self.status, self.is_refundable = status, is_refundable
        self.reports.append(
            said(
                self.payment,
                status,
                self.movements,
                id=self.dispute_id,
                amount=Money(self.disputed, self.currency),
                is_charge_refundable=is_refundable,
            )
        )
        record_dispute(self.reports[-1])

    def repeat(self, which):
        """A report arrives once more, or a state that was fetched long ago is recorded now."""
        if self.reports:
            report = self.reports[which % len(self.reports)]
            # States that differ in nothing that moves forward cannot be told apart: a loss right after a win.
            is_older = len(report.movements) < len(self.movements) or report.status in UNDER_WAY
            record_dispute(report if is_older else self.reports[-1])

    def mature(self):
        if not self.is_mature:
            self.is_mature = True
            mature(self.payment)

    # --- What must be so ---

    def sum_of(self, *statuses):
        return sum(amount for amount, status in self.refunds.values() if status in statuses)

    @property
    def refunded_or_about_to_be(self):
        return self.sum_of("pending", "succeeded")

    @property
    def taken(self):
        return -sum(each.amount.minor for each in self.movements)

    @property
    def is_lost(self):
        return self.status == "lost" or (self.status == "won" and any(each.amount.minor > 0 for each in self.movements))

    @property
    def claimed(self):
        return min(self.taken, self.whole - self.refunded_or_about_to_be)

    def check(self):
        gone = self.sum_of("succeeded") + (self.claimed if self.is_lost else 0)
        held = self.sum_of("pending") + (0 if self.is_lost else self.claimed)
        share = [self.read(kind) for kind in OF_TEACHER]
        assert sum(share) == (self.whole - gone) * 9 // 10
        assert self.read(AccountKind.TEACHER_HELD) == held * 9 // 10
        assert share[0] == 0 or not self.is_mature
        assert share[1] == 0 or self.is_mature
        beyond = self.taken - self.claimed if self.is_lost else 0
        change = {kind: self.read(kind) - self.opening[kind] for kind in OF_PLATFORM}
        assert change == {
            AccountKind.PLATFORM_FEES: -gone // 10,
            AccountKind.PLATFORM_LOSSES: beyond,
            AccountKind.DISPUTE_FEES: FEE * any(each.fee.minor for each in self.movements),
            AccountKind.FUNDS_IN_DISPUTE: 0 if self.is_lost else self.taken,
        }


OF_TEACHER = (AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE, AccountKind.TEACHER_HELD)
OF_PLATFORM = (
    AccountKind.PLATFORM_FEES,
    AccountKind.PLATFORM_LOSSES,
    AccountKind.DISPUTE_FEES,
    AccountKind.FUNDS_IN_DISPUTE,
)
UNDER_WAY = ("warning_needs_response", "needs_response", "under_review")

some = st.integers(1, 12)
actions = st.one_of(
    st.tuples(st.just("refund"), some),
    st.tuples(st.just("confirm"), some, st.sampled_from(["succeeded", "failed"])),
    st.tuples(st.just("ask"), some),
    st.tuples(st.just("open"), some),
    st.tuples(st.just("answer")),
    st.tuples(st.just("lose")),
    st.tuples(st.just("win"), some),
    st.tuples(st.just("repeat"), some),
    st.tuples(st.just("mature")),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    currency=st.sampled_from(["GBP", "JPY", "KWD"]),
    steps=st.integers(1, 10),
    happenings=st.lists(actions, min_size=4, max_size=16),
)
@example(
    currency="GBP", steps=5, happenings=[("refund", 5), ("open", 5), ("confirm", 1, "failed"), ("lose",)]
)  # rare in random sequences
def test_any_sequence_matches_a_plain_model(currency, steps, happenings):
    world = World(currency, steps)
    for name, *arguments in happenings:
        getattr(world, name)(*arguments)
        world.check()
    for report in world.reports[-1:]:
        record_dispute(report)
    world.check()
    assert broken(INVARIANTS) == {}
