"""Any sequence of renewals, use, credits, refunds and period ends leaves the ledger as a plain model says.

The model knows facts only: what each credit and each month is worth and what became of it. It has no journals.
SUBSCRIPTION_SEQUENCES says how many sequences are run in each currency.
"""

import os
from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken
from ledger.invariants import JournalsBalance
from subscriptions.closing import end_what_is_over
from subscriptions.credits import earn_credit, give_back_credit
from subscriptions.invariants import INVARIANTS
from subscriptions.models import AccessSlice
from subscriptions.tests.factories import make_plan, make_price, make_subscription
from subscriptions.tests.paid import earned_by, fees, later, paid_period, refund_period, take, unearned, use

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shares_mature_at_once")]
# Price, credits and their value; KWD has three decimals and JPY none.
PRICES = {"GBP": (2901, 3, 333), "JPY": (2999, 2, 700), "KWD": (10_010, 3, 1110)}
RATES = (1000, 1500)
SEQUENCES = int(os.environ.get("SUBSCRIPTION_SEQUENCES", "10"))


class PlainPeriod:
    """What was paid, and what became of its parts."""

    def __init__(self, price, count, value):
        self.credits = ["unused"] * count
        self.value, self.access = value, price - count * value
        self.price, self.is_refunded, self.is_over = price, False, False
        self.points = defaultdict(int)
        # What each teacher got of it, and what has left it for the platform or teachers.
        self.is_shared = self.is_carried = False


def half_up(amount, rate):
    return int(Fraction(amount * rate, 10_000) + Fraction(1, 2))


def by_largest_remainder(amount, weights):
    whole = sum(weights.values())
    parts = {key: amount * weight // whole for key, weight in weights.items()}
    order = sorted(weights, key=lambda key: (-(amount * weights[key] % whole), key))
    for key in order[: amount - sum(parts.values())]:
        parts[key] += 1
    return parts


class SubscriptionMachine(RuleBasedStateMachine):
    """One subscription whose months follow each other; its clock only moves on at the end of a month."""

    currency = "GBP"

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.teachers = [TeacherFactory(commission_bps=rate) for rate in RATES]
        price, count, value = PRICES[self.currency]
        plan = make_price(
            make_plan(grants_courses=True),
            currency=self.currency,
            amount_minor=price,
            credits=count,
            credit_value_minor=value,
        )
        now = timezone.now()
        self.subscription = make_subscription(plan, period_starts_at=now, period_ends_at=now + timedelta(days=30))
        self.days, self.lessons = 0, 0
        self.plain, self.rows, self.taken = [], [], {}
        self.earned = defaultdict(int)
        self.paid_out_fees = 0
        self.used = set()
        # Credits that came back after their own end, in that sequence: they can be used until this month ends.
        self.came_back = []
        self.renew()

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def clock(self):
        return later(days=self.days, minutes=1)

    def renew(self):
        start = self.rows[-1].ends_at if self.rows else self.subscription.period_starts_at
        with self.clock():
            row = paid_period(self.subscription, kind="renewal", starts_at=start, ends_at=start + timedelta(days=30))
        for period in self.plain:
            if not period.is_carried:
                period.is_carried = True
                period.carried_to = len(self.plain)
        self.plain.append(PlainPeriod(*PRICES[self.currency]))
        self.rows.append(row)

    @property
    def current(self):
        return self.plain[-1]

    def usable(self):
        """The first unused credit that can be used now: one that came back late, of the month before, then of this one."""
        for number, position in self.came_back:
            if self.plain[number].credits[position] == "unused":
                return number, position
        for number in (len(self.plain) - 2, len(self.plain) - 1):
            if number >= 0:
                for position, state in enumerate(self.plain[number].credits):
                    if state == "unused" and not (number == len(self.plain) - 1 and self.current.is_over):
                        return number, position
        return None

    @rule(teacher=st.integers(0, 1), lesson=st.integers(0, 2), finishes=st.booleans())
    def learn(self, teacher, lesson, finishes):
        with self.clock():
            use(
                self.subscription,
                self.teachers[teacher],
                *([] if finishes else [lesson]),
                finished=[lesson] if finishes else [],
            )
        month = len(self.plain)
        for what in {"opened", "finished"} if finishes else {"opened"}:
            if (key := (month, teacher, lesson, what)) not in self.used:
                self.used.add(key)
                self.current.points[teacher] += 1

    @rule(teacher=st.integers(0, 1))
    def take_a_credit(self, teacher):
        found = self.usable()
        with self.clock():
            if found is None:
                with pytest.raises(Exception, match="no lesson credit"):
                    take(self.subscription.user, self.teachers[teacher], "none", {self.currency: 1})
                return
            self.lessons += 1
            key = f"lesson:{self.lessons}"
            credit = take(self.subscription.user, self.teachers[teacher], key, {self.currency: 1})
        number, _ = found
        assert credit.period_id == self.rows[number].pk
        self.plain[number].credits[found[1]] = "taken"
        self.taken[key] = (number, found[1], teacher)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def cancel_a_lesson(self, data):
        key = data.draw(st.sampled_from(sorted(self.taken)))
        number, position, _ = self.taken.pop(key)
        with self.clock():
            assert give_back_credit(key)
            assert not give_back_credit(key)
        self.plain[number].credits[position] = "gone" if self.plain[number].is_refunded else "unused"
        if number < len(self.plain) - 2:
            self.came_back.append((number, position))

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def earn_a_lesson(self, data):
        key = data.draw(st.sampled_from(sorted(self.taken)))
        number, position, teacher = self.taken.pop(key)
        with self.clock():
            assert earn_credit(key)
            assert not earn_credit(key)
        period = self.plain[number]
        period.credits[position] = "earned"
        self.earned[teacher] += period.value - half_up(period.value, RATES[teacher])

    @rule()
    def run_beat(self):
        with self.clock():
            end_what_is_over()

    @rule()
    def end_the_month_and_renew(self):
        self.days += 30
        with self.clock():
            end_what_is_over()
        period = self.current
        if not period.is_refunded:
            period.is_shared = True
            for teacher, gross in (by_largest_remainder(period.access, period.points) if period.points else {}).items():
                self.earned[teacher] += gross - half_up(gross, RATES[teacher])
        self.renew()
        with self.clock():
            end_what_is_over()
        # Credits of two months ago were carried over once, and are over now, as are those that came back.
        self.came_back.clear()
        for old in self.plain[:-2]:
            old.credits = ["gone" if state == "unused" else state for state in old.credits]

    @precondition(lambda self: not self.plain[-1].is_refunded)
    @rule()
    def refund_the_month(self):
        self.give_all_back(len(self.plain) - 1)

    @precondition(lambda self: len(self.plain) > 1 and not self.plain[-2].is_refunded)
    @rule()
    def refund_the_month_before(self):
        self.give_all_back(len(self.plain) - 2)

    def give_all_back(self, number):
        with self.clock():
            refund_period(self.rows[number])
        period = self.plain[number]
        period.is_refunded = True
        period.credits = ["gone" if state == "unused" else state for state in period.credits]

    @invariant()
    def ledger_is_what_the_model_says(self):
        open_credits = sum(
            period.value for period in self.plain for state in period.credits if state in {"unused", "taken"}
        )
        open_access = sum(period.access for period in self.plain if not period.is_shared and not period.is_refunded)
        assert unearned(self.currency) == open_credits + open_access
        for number, teacher in enumerate(self.teachers):
            assert earned_by(teacher, self.currency) == self.earned[number]
        received = sum(period.price for period in self.plain if not period.is_refunded)
        assert fees(self.currency) == received - open_credits - open_access - sum(self.earned.values())

    @invariant()
    def invariants_hold(self):
        assert broken([*INVARIANTS, JournalsBalance()]) == {}
        assert AccessSlice.objects.count() == len(self.plain)


@pytest.mark.parametrize("currency", PRICES)
def test_any_sequence_leaves_the_ledger_as_the_model_says(currency):
    machine = type("Machine", (SubscriptionMachine,), {"currency": currency})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=SEQUENCES, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
