"""Disputes in the machine: opened, answered, lost, won, in part; each report at any time, in any order."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from money import Money
from payments.disputes.recording import record_dispute
from payments.disputes.stripe_objects import StripeDispute, StripeDisputeMovement
from payments.tests.money_model.machine import NOW, PICK
from payments.tests.money_model.plain import Dispute
from payments.tests.money_model.snapshots import next_of, opened


class DisputeSteps(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.history_of_disputes = {}
        self.newest_of_disputes = {}

    @precondition(lambda self: self.goes_on())
    @rule(which=PICK, percent=st.integers(1, 120), is_inquiry=st.booleans(), is_late=st.booleans())
    def dispute_is_opened(self, which, percent, is_inquiry, is_late):
        self.step()
        order = self.paid()[which % len(self.paid())]
        amount = max(1, order.payment.amount_minor * percent // 100)
        key = f"du_{len(self.history_of_disputes)}_{order.pk}"
        self._happens(key, opened(order, amount, is_inquiry=is_inquiry), is_late=is_late)

    @precondition(lambda self: self.goes_on() and self.history_of_disputes)
    @rule(which=PICK, how=PICK, is_late=st.booleans())
    def dispute_goes_on(self, which, how, is_late):
        self.step()
        key = list(self.history_of_disputes)[which % len(self.history_of_disputes)]
        following = [snapshot for _, snapshot in next_of(self.history_of_disputes[key][-1])]
        if following:
            self._happens(key, following[how % len(following)], is_late=is_late)

    @precondition(lambda self: self.goes_on() and self.history_of_disputes)
    @rule(which=PICK, age=PICK)
    def dispute_is_reported(self, which, age):
        """As it is now, or as it was: a worker may have fetched it some time ago."""
        self.step()
        key = list(self.history_of_disputes)[which % len(self.history_of_disputes)]
        history = self.history_of_disputes[key]
        self._reported(key, history[age % len(history)])

    def _happens(self, key, snapshot, *, is_late):
        self.history_of_disputes.setdefault(key, []).append(snapshot)
        if not is_late:
            self._reported(key, snapshot)

    def _reported(self, key, snapshot):
        record_dispute(as_stripe_reports(key, snapshot))
        if snapshot.number <= self.newest_of_disputes.get(key, -1):
            return
        self.newest_of_disputes[key] = snapshot.number
        plain, order = self.plain[snapshot.order.currency], snapshot.order.pk
        parts = plain.disputes[key].parts if key in plain.disputes else ()
        plain.disputes[key] = Dispute(
            order, snapshot.demand, parts, snapshot.withdrawn, snapshot.fees, is_lost=snapshot.is_lost
        )
        plain.demand_of_disputes(order)


def as_stripe_reports(key, snapshot, *, reference=""):
    currency = snapshot.order.currency
    return StripeDispute(
        id=key,
        status=snapshot.status,
        reason="fraudulent",
        amount=Money(snapshot.disputed, currency),
        charge_id="",
        payment_intent_id=f"pi_{snapshot.order.payment.reference.hex}",
        payment_reference=reference,
        case_type="inquiry" if snapshot.is_inquiry else "chargeback",
        is_charge_refundable=snapshot.is_inquiry,
        due_by=NOW + timedelta(days=7),
        is_past_due=False,
        has_evidence=False,
        submission_count=0,
        opened_at=NOW,
        answer_key="",
        movements=[
            StripeDisputeMovement(
                id=f"txn_{key}_{movement}",
                amount=Money(-claim, currency),
                fee=Money(fee, currency),
                exchange_rate=None,
                happened_at=NOW + timedelta(hours=place),
            )
            for place, (movement, claim, fee) in enumerate(snapshot.movements)
        ],
    )
