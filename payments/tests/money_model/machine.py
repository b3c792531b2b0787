"""Sales, refunds and maturity in three currencies on PostgreSQL, through the public functions, beside the plain model."""

from datetime import UTC, datetime

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jobs.invariants import broken, installed_invariants
from money import Money
from payments.earnings.books import book_allocations
from payments.earnings.maturing import mature_earning
from payments.earnings.stripe_costs import book_costs_of_charge
from payments.models import Order, Refund
from payments.models.order import lines_in_lock_order
from payments.refunds.allocations import propose_allocation, write_allocations
from payments.refunds.plan import LinePart, OfLines, OverAllLines, RefundRefused, WholeOrder
from payments.refunds.recording import NoRoomForRefund, record_refund
from payments.settlement import Settlement, settle_payment
from payments.stripe_objects import BalanceTransaction, StripeRefund
from payments.tests.factories import evidence_for, refunded
from payments.tests.money_model.plain import Refund as PlainRefund
from payments.tests.money_model.pool import CURRENCIES, add_sale, figures_of_ledger
from payments.tests.sample_domain import SAMPLE

REPORTED = {
    "pending": "under way",
    "requires_action": "under way",
    "succeeded": "succeeded",
    "failed": "ended",
    "canceled": "ended",
}
RANK = {"under way": 0, "succeeded": 1, "ended": 2}
STATUSES = st.sampled_from(sorted(REPORTED))
PICK = st.integers(0, 99)
NOW = datetime(2026, 11, 30, tzinfo=UTC)


class MoneyMachine(RuleBasedStateMachine):
    """One sequence in one transaction, which is rolled back at its end. `pool` is set by the test."""

    pool = None

    def __init__(self):
        super().__init__()
        self.plain = {currency: plain.copy() for currency, plain in self.pool.plain.items()}
        self.steps_left = 50
        self.checked_at = None
        SAMPLE.undeliverable = {order.undeliverable for order in self.pool.orders}
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self):
        try:
            check_constraints()
            assert broken(installed_invariants()) == {}
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @initialize(steps=st.one_of(st.integers(1, 15), st.integers(1, 50)))
    def choose_length(self, steps):
        """Up to fifty. Most faults need few steps, and hypothesis would always take as many as it may."""
        self.steps_left = steps

    @invariant()
    def books_are_what_the_plain_model_says(self):
        if self.checked_at == self.steps_left:
            return
        self.checked_at = self.steps_left
        booked = figures_of_ledger()
        for currency, plain in self.plain.items():
            assert booked[currency] == plain.figures(), currency

    @rule()
    def rest(self):
        """Nothing happens, until hypothesis ends the sequence."""

    def goes_on(self):
        return self.steps_left > 0

    def paid(self):
        return [order for order in self.pool.orders if order.pk in self.plain[order.currency].orders]

    def rarely(self):
        """For what takes long and rarely matters."""
        return self.steps_left % 4 == 0

    def step(self):
        self.steps_left -= 1

    # --- Sales and maturity ------------------------------------------------------------------------------------

    @precondition(goes_on)
    @rule(which=PICK)
    def payment_succeeds(self, which):
        self.step()
        order = self.pool.orders[which % len(self.pool.orders)]
        plain = self.plain[order.currency]
        outcome = settle_payment(evidence_for(order.payment))[1]
        assert outcome == (Settlement.ALREADY_SETTLED if order.pk in plain.orders else Settlement.SETTLED)
        if outcome == Settlement.SETTLED:
            add_sale(plain, order)

    @precondition(lambda self: self.goes_on() and self.rarely())
    @rule(which=PICK)
    def second_payment_succeeds(self, which):
        self.step()
        order = self.paid()[which % len(self.paid())]
        plain = self.plain[order.currency]
        assert settle_payment(evidence_for(order.earlier))[1] == Settlement.REFUNDED
        if order.pk not in plain.second_payments:
            amount = plain.second_payments[order.pk] = order.payment.amount_minor
            refund = Refund.objects.get(payment=order.earlier)
            plain.refunds[refund.pk] = PlainRefund(order.pk, amount, is_of_second_payment=True)

    @precondition(lambda self: self.goes_on() and self.paid())
    @rule(which=PICK, fee=st.integers(0, 50))
    def stripe_reports_its_fee(self, which, fee):
        self.step()
        order = self.paid()[which % len(self.paid())]
        fee = self.plain[order.currency].stripe_fees.setdefault(order.pk, fee)
        reported = BalanceTransaction(
            id=f"txn_{order.pk}",
            type="charge",
            amount=order.payment.amount,
            fee=Money(fee, order.currency),
            fee_parts="",
            source_id="",
            created_at=NOW,
            available_at=NOW,
        )
        book_costs_of_charge(order.payment, reported)

    @precondition(lambda self: self.goes_on() and self.paid())
    @rule(which=PICK, line=PICK)
    def line_matures(self, which, line):
        self.step()
        order = self.paid()[which % len(self.paid())]
        plain = self.plain[order.currency]
        pk = plain.orders[order.pk][line % len(plain.orders[order.pk])]
        facts = plain.lines[pk]
        may_mature = facts.is_delivered and not facts.has_matured
        assert mature_earning(pk) == may_mature
        if may_mature:
            plain.change("lines", pk, has_matured=True)

    # --- Refunds -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.goes_on() and self.paid())
    @rule(which=PICK, how=st.sampled_from(["a line", "all lines", "the rest"]), line=PICK, percent=st.integers(1, 110))
    def refund_is_requested(self, which, how, line, percent):
        self.step()
        order = self.paid()[which % len(self.paid())]
        plain, step = self.plain[order.currency], CURRENCIES[order.currency]
        lines = plain.orders[order.pk]
        if how == "a line":
            pk = lines[line % len(lines)]
            amounts = {pk: max(1, plain.lines[pk].amount * percent // 100 // step) * step}
            wanted = OfLines([LinePart(line_id=pk, amount=Money(amounts[pk], order.currency))])
            is_possible = amounts[pk] <= plain.left_of(pk)
        elif how == "all lines":
            total = max(1, order.payment.amount_minor * percent // 100 // step) * step
            wanted, is_possible = OverAllLines(Money(total, order.currency)), total <= plain.left_of_order(order.pk)
            amounts = plain.spread_over(order.pk, total) if is_possible else {0: total}
        else:
            amounts, wanted = {pk: plain.left_of(pk) for pk in lines}, WholeOrder()
            is_possible = sum(amounts.values()) > 0 and sum(amounts.values()) % step == 0
        if not is_possible or sum(amounts.values()) > plain.refundable_of_payment(order.pk):
            self._is_refused(order, wanted)
            return
        refund = refunded(order.payment, wanted)
        parts = plain.parts_of_lines(amounts)
        plain.refunds[refund.pk] = PlainRefund(order.pk, sum(amounts.values()), parts)

    def _is_refused(self, order, wanted):
        try:
            refunded(order.payment, wanted)
        except RefundRefused:
            return
        raise AssertionError(f"{wanted} of {order} was not refused")

    @precondition(lambda self: self.goes_on() and any(plain.refunds for plain in self.plain.values()))
    @rule(which=PICK, status=STATUSES)
    def stripe_reports_a_refund(self, which, status):
        """Any status at any time: reports come late, twice, and in any order."""
        self.step()
        known = [(plain, pk) for plain in self.plain.values() for pk in plain.refunds]
        plain, pk = known[which % len(known)]
        refund = Refund.objects.select_related("payment__order").get(pk=pk)
        self._report(
            refund.payment, refund.stripe_refund_id or f"re_{pk}", refund.amount, status, refund.idempotency_key
        )
        self._refund_is(plain, pk, REPORTED[status])

    def _report(self, payment, refund_id, amount, status, key=""):
        reported = StripeRefund(
            id=refund_id,
            status=status,
            amount=amount,
            payment_intent_id=payment.stripe_payment_intent_id or f"pi_{payment.reference.hex}",
            payment_reference="",
            refund_key=key,
            pending_reason="",
            failure_reason="",
        )
        return record_refund(reported)

    def _refund_is(self, plain, pk, state):
        refund = plain.refunds[pk]
        if RANK[state] > RANK[refund.state]:
            plain.change("refunds", pk, state=state)
            if state == "ended" and not refund.is_of_second_payment:
                plain.demand_of_disputes(refund.order)

    @precondition(lambda self: self.goes_on() and self.paid())
    @rule(which=PICK, percent=st.integers(1, 100), status=STATUSES)
    def refund_is_made_at_stripe(self, which, percent, status):
        self.step()
        order = self.paid()[which % len(self.paid())]
        plain, step = self.plain[order.currency], CURRENCIES[order.currency]
        amount = max(1, order.payment.amount_minor * percent // 100 // step) * step
        refund_id = f"re_made_{len(plain.refunds)}_{order.pk}"
        state = REPORTED[status]
        if state != "ended":
            plain = plain.copy()
            plain.demand_of_disputes(order.pk, reserved=amount)
            if amount > plain.refundable_of_payment(order.pk):
                self._has_no_room(order, refund_id, amount, status)
                return
        self.plain[order.currency] = plain
        is_whole = amount == plain.left_of_order(order.pk)
        only_one = sum(1 for pk in plain.orders[order.pk] if plain.left_of(pk)) == 1
        recorded = self._report(order.payment, refund_id, Money(amount, order.currency), status)
        plain.refunds[recorded.refund.pk] = PlainRefund(order.pk, amount, state=state)
        if state != "ended" and (is_whole or only_one) and amount <= plain.left_of_order(order.pk):
            self._allocate_plainly(plain, recorded.refund.pk)

    def _has_no_room(self, order, refund_id, amount, status):
        try:
            self._report(order.payment, refund_id, Money(amount, order.currency), status)
        except NoRoomForRefund:
            return
        raise AssertionError(f"there was room for {amount} of {order}")

    def _allocate_plainly(self, plain, pk):
        refund = plain.refunds[pk]
        amounts = plain.spread_over(refund.order, plain.unallocated(refund))
        plain.change("refunds", pk, parts=(*refund.parts, *plain.parts_of_lines(amounts)))

    @precondition(lambda self: self.goes_on() and self.to_allocate())
    @rule(which=PICK)
    def staff_allocate_a_refund(self, which):
        self.step()
        plain, pk = self.to_allocate()[which % len(self.to_allocate())]
        refund = Refund.objects.get(pk=pk)
        with transaction.atomic():
            order = Order.objects.select_for_update().get(pk=plain.refunds[pk].order)
            allocations = write_allocations(refund, propose_allocation(refund, lines_in_lock_order(order)))
            book_allocations(refund, allocations)
        self._allocate_plainly(plain, pk)

    def to_allocate(self):
        return [
            (plain, pk)
            for plain in self.plain.values()
            for pk, refund in plain.refunds.items()
            if refund.state != "ended" and not refund.is_of_second_payment and plain.unallocated(refund)
        ]


def check_constraints():
    """Fire the triggers that wait for the commit, which never comes."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
