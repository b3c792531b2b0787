"""Payouts in the machine: requested, decided, sent, with the answer lost, refused, paid after all, and returned."""

from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from money import Money
from payments.models import Payout, PayoutTransfer
from payments.payouts import sending
from payments.payouts.decisions import BankTransfer, approve_payout, decline_payout, record_bank_transfer
from payments.payouts.recording import record_transfer
from payments.payouts.requests import PayoutRefused, request_payout
from payments.payouts.stripe_objects import StripeReversal, StripeTransfer
from payments.tests.money_model.machine import NOW, PICK
from payments.tests.money_model.plain import Payout as PlainPayout
from payments.tests.money_model.pool import CURRENCIES

LONG_AGO = date(2020, 1, 1)


class PayoutSteps(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.costs = {}
        self.reversals = {}

    @precondition(lambda self: self.goes_on())
    @rule(which=PICK, currency=st.sampled_from(sorted(CURRENCIES)), percent=st.none() | st.integers(1, 110))
    def payout_is_requested(self, which, currency, percent):
        """All that is available, or part of it, or more."""
        self.step()
        teacher, plain = self.pool.teachers[which % 2], self.plain[currency]
        available = plain.figures().get(("teacher_available", teacher.pk), 0) - plain.kept_back(teacher.pk)
        is_open = any(each.teacher == teacher.pk and each.state == "claimed" for each in plain.payouts.values())
        wanted = available if percent is None else max(1, available * percent // 100)
        # Banks are paid KWD in hundredths, too; what is finer stays.
        wanted -= wanted % CURRENCIES[currency]
        is_possible = 0 < wanted <= available and available >= CURRENCIES[currency] and not is_open
        amount = None if percent is None else Money(wanted, currency)
        try:
            payout = request_payout(teacher=teacher, currency=currency, amount=amount)
        except PayoutRefused:
            assert not is_possible
            return
        assert is_possible
        plain.payouts[payout.pk] = PlainPayout(teacher.pk, wanted)

    @precondition(lambda self: self.goes_on() and self.payouts("claimed"))
    @rule(which=PICK, decision=st.sampled_from(["approve", "decline", "bank"]))
    def staff_decide(self, which, decision):
        self.step()
        plain, pk = self._pick("claimed", which)
        payout = Payout.objects.get(pk=pk)
        if decision == "approve" and payout.status == "requested":
            approve_payout(payout_id=pk, by=self.pool.staff)
        elif decision == "decline" and payout.status in ("requested", "approved"):
            decline_payout(payout_id=pk, by=self.pool.staff, reason="Not now.")
            plain.change("payouts", pk, state="given back")
        elif decision == "bank" and payout.status == "requested":
            transfer = BankTransfer(paid_on=LONG_AGO, last_four="1234", fee=Money(0, payout.currency))
            record_bank_transfer(payout_id=pk, by=self.pool.staff, transfer=transfer)
            plain.change("payouts", pk, state="paid", is_by_bank=True)

    @precondition(lambda self: self.goes_on() and self.payouts("claimed"))
    @rule(which=PICK, outcome=st.sampled_from(["sent", "unknown", "refused"]))
    def worker_sends_it(self, which, outcome):
        """As far as `send_transfer` records by itself; what Stripe makes of it is reported afterwards."""
        self.step()
        plain, pk = self._pick("claimed", which)
        work = PayoutTransfer.objects.select_related("payout").filter(payout=pk).first()
        if work is None or not sending._begin_to_send(work):
            return
        payout = Payout.objects.get(pk=pk)
        if outcome == "unknown":
            sending._record_lost_answer(payout)
        elif outcome == "refused":
            sending._record_refusal(payout, "The account was closed.")
            plain.change("payouts", pk, state="given back")

    @precondition(lambda self: self.goes_on() and self.transfers())
    @rule(which=PICK, returned=st.lists(st.integers(1, 100), max_size=2), cost=st.sampled_from([0, 0, 25]))
    def stripe_reports_a_transfer(self, which, returned, cost):
        """Also one that a worker believed to be refused. What came back before is reported again each time."""
        self.step()
        plain, payout = self.transfers()[which % len(self.transfers())]
        facts = plain.payouts[payout.pk]
        cost = self.costs.setdefault(payout.pk, cost)
        reversals = self.reversals.setdefault(payout.pk, [])
        for percent in returned:
            left = payout.amount_minor - sum(reversals)
            part = max(1, left * percent // 100)
            if part <= left:
                reversals.append(part)
        record_transfer(self._as_stripe_reports(payout, reversals, cost))
        plain.payouts[payout.pk] = PlainPayout(
            facts.teacher, facts.amount, state="paid", returned=sum(reversals), cost=cost
        )

    def payouts(self, *states):
        found = [(plain, pk, facts) for plain in self.plain.values() for pk, facts in plain.payouts.items()]
        return [(plain, pk) for plain, pk, facts in found if facts.state in states]

    def transfers(self):
        """Those for which Stripe has been asked, whatever is known of the answer."""
        known = {pk: plain for plain, pk in self.payouts("claimed", "given back", "paid")}
        sent = PayoutTransfer.objects.filter(payout__in=list(known), account__isnull=False).select_related("payout")
        return [(known[each.payout_id], each.payout) for each in sent.order_by("pk")] if known else []

    def _pick(self, state, which):
        found = self.payouts(state)
        return found[which % len(found)]

    def _as_stripe_reports(self, payout, reversals, cost):
        def money(minor):
            return Money(minor, payout.currency)

        return StripeTransfer(
            id=f"tr_{payout.pk}",
            amount=payout.amount,
            cost=money(cost),
            destination_id=self.pool.accounts[payout.teacher_id],
            destination_payment_id=f"py_{payout.pk}",
            payout_reference=str(payout.reference),
            created_at=NOW,
            reversals=tuple(
                StripeReversal(
                    id=f"trr_{payout.pk}_{place}",
                    amount=money(minor),
                    arrived=money(minor),
                    reversal_key="",
                )
                for place, minor in enumerate(reversals)
            ),
        )
