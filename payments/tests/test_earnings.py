"""What the ledger says after sales, refunds, maturities and Stripe's fees."""

import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken
from ledger.balances import balance_of
from ledger.entries import AccountKind
from ledger.models import Journal
from money import Money
from notifications.models import Alert
from payments.documents.numbering import number_receipt
from payments.earnings.balances import teacher_balances
from payments.earnings.maturing import mature_earnings
from payments.earnings.stripe_costs import book_costs_of_charge
from payments.invariants import INVARIANTS
from payments.models import Earning, OrderLine, Refund
from payments.refunds.plan import LinePart, OfLines
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_balance_transaction, read_refund
from payments.tests.factories import evidence_for, open_order, paid_order, refund_object, refunded, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def gbp(minor):
    return Money(minor, "GBP")


def report(refund, status, **changes):
    """Let Stripe report the state of a refund."""
    recorded = record_refund(read_refund(refund_object(refund, status=status, **changes)))
    refund.refresh_from_db()
    return recorded


def balance_of_teacher(teacher_id, currency="GBP"):
    (balance,) = [each for each in teacher_balances(teacher_id) if each.currency == currency]
    return balance


def teacher_of(payment):
    return payment.order.lines.get().teacher_id


def has_been_held(payment):
    """The holding time of this order is over."""
    order = payment.order
    type(order).objects.filter(pk=order.pk).update(paid_at=timezone.now() - timedelta(days=30))
    Earning.objects.filter(line__order=order, matured_at=None).update(look_at=timezone.now())
    number_receipt(order)  # an hour after the payment it has been numbered


def test_a_sale_is_pending_for_the_teacher_and_the_fee_earned():
    payment = paid_order(10_000)
    balance = balance_of_teacher(teacher_of(payment))
    assert (balance.pending, balance.available, balance.earned) == (gbp(9000), gbp(0), gbp(9000))
    assert balance_of(AccountKind.PLATFORM_FEES, "GBP") == gbp(1000)
    assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(10_000)


def test_a_settlement_that_is_repeated_books_the_sale_once():
    payment = paid_order(10_000)
    settle_payment(evidence_for(payment))
    assert Journal.objects.filter(source=f"order:{payment.order.number}:settled").count() == 1
    assert balance_of_teacher(teacher_of(payment)).earned == gbp(9000)


def test_a_free_order_books_nothing():
    payment = paid_order(0)
    assert not Journal.objects.exists()
    assert teacher_balances(teacher_of(payment)) == []


class TestMaturing:
    def test_a_share_becomes_available_after_the_holding_time_and_not_before(self, settings):
        payment = paid_order(10_000)
        mature_earnings()
        assert balance_of_teacher(teacher_of(payment)).pending == gbp(9000)
        assert Earning.objects.get().matures_at == payment.order.paid_at + settings.EARNINGS_HELD_FOR
        has_been_held(payment)
        assert mature_earnings() == 1
        assert mature_earnings() == 0
        balance = balance_of_teacher(teacher_of(payment))
        assert (balance.pending, balance.available, balance.earned) == (gbp(0), gbp(9000), gbp(9000))

    def test_a_lesson_still_to_come_keeps_the_share_pending_and_a_moved_one_is_asked_for_again(self):
        payment = paid_order(10_000)
        has_been_held(payment)
        SAMPLE.earned = timezone.now() + timedelta(days=3)
        assert mature_earnings() == 0
        assert Earning.objects.get().matures_at == SAMPLE.earned
        SAMPLE.earned = timezone.now() - timedelta(days=1)
        Earning.objects.update(look_at=timezone.now())
        assert mature_earnings() == 1

    def test_one_lines_trouble_stops_no_other(self, monkeypatch):
        troubled, sound = paid_order(10_000), paid_order(6000)
        for payment in (troubled, sound):
            has_been_held(payment)
        line = troubled.order.lines.get()
        Earning.objects.filter(pk=line.pk).update(look_at=timezone.now() - timedelta(hours=1))
        # A domain that fails for one of its items.
        monkeypatch.setattr(
            type(SAMPLE), "earned_at", lambda _self, sold: 1 / 0 if sold.reference == line.reference else None
        )
        assert mature_earnings() == 1
        assert balance_of_teacher(teacher_of(sound)).available == gbp(5400)
        assert balance_of_teacher(teacher_of(troubled)).pending == gbp(9000)
        assert Alert.objects.get().key == f"earning-not-matured:{line.pk}"
        assert mature_earnings() == 0

    def test_only_what_refunds_left_becomes_available(self):
        payment = paid_order(10_000)
        refund = refunded(payment, OfLines([LinePart(line_id=payment.order.lines.get().pk, amount=gbp(2500))]))
        has_been_held(payment)
        mature_earnings()
        assert balance_of_teacher(teacher_of(payment)).available == gbp(6750)
        report(refund, "failed", failure_reason="expired_or_canceled_card")
        balance = balance_of_teacher(teacher_of(payment))
        assert (balance.pending, balance.available, balance.held) == (gbp(0), gbp(9000), gbp(0))


class TestRefunds:
    def test_a_refund_under_way_is_held_and_leaves_only_when_stripe_confirms(self):
        payment = paid_order(8000)
        refund = refunded(payment)
        balance = balance_of_teacher(teacher_of(payment))
        assert (balance.pending, balance.held, balance.earned) == (gbp(0), gbp(7200), gbp(7200))
        assert balance_of(AccountKind.PLATFORM_FEES, "GBP") == gbp(800)
        report(refund, "pending")
        report(refund, "succeeded")
        report(refund, "succeeded")
        assert balance_of_teacher(teacher_of(payment)).earned == gbp(0)
        assert balance_of(AccountKind.PLATFORM_FEES, "GBP") == gbp(0)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(0)

    def test_a_refund_that_fails_after_success_restores_everything(self):
        payment = paid_order(4000)
        refund = refunded(payment)
        report(refund, "succeeded")
        report(refund, "failed")
        balance = balance_of_teacher(teacher_of(payment))
        assert (balance.pending, balance.held, balance.earned) == (gbp(3600), gbp(0), gbp(3600))
        again = refunded(payment)
        report(again, "succeeded")
        assert balance_of_teacher(teacher_of(payment)).earned == gbp(0)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(0)

    def test_a_refund_after_the_share_matured_takes_what_is_available_even_below_zero(self):
        payment = paid_order(10_000)
        has_been_held(payment)
        mature_earnings()
        report(refunded(payment), "succeeded")
        balance = balance_of_teacher(teacher_of(payment))
        assert (balance.available, balance.debt, balance.earned) == (gbp(0), gbp(0), gbp(0))

    def test_an_ambiguous_refund_made_at_stripe_waits_in_an_account_of_its_own(self):
        payment = paid_order(5000, 3000)
        made = {"id": f"re_{uuid.uuid4().hex}", "object": "refund", "status": "succeeded", "amount": 1000}
        made |= {"currency": "gbp", "payment_intent": payment.stripe_payment_intent_id, "metadata": {}}
        record_refund(read_refund(made))
        assert balance_of(AccountKind.REFUNDS_TO_ALLOCATE, "GBP") == gbp(1000)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(7000)
        assert balance_of(AccountKind.PLATFORM_FEES, "GBP") == gbp(800)

    def test_a_line_that_cannot_be_delivered_is_owed_to_the_student_until_refunded(self):
        teacher = TeacherFactory()
        good, gone = sample_offer(gbp(5000), teacher=teacher), sample_offer(gbp(3000), teacher=teacher)
        SAMPLE.undeliverable.add(gone)
        payment = open_order(good, gone)
        settle_payment(evidence_for(payment))
        assert balance_of(AccountKind.REFUNDS_DUE, "GBP") == gbp(3000)
        assert balance_of_teacher(teacher.pk).earned == gbp(4500)
        report(Refund.objects.get(), "succeeded")
        assert balance_of(AccountKind.REFUNDS_DUE, "GBP") == gbp(0)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(5000)


def reported(**changes):
    """A balance transaction of a charge of 100.00 GBP, of which Stripe keeps 2.90 and its tax."""
    fields = {"id": f"txn_{uuid.uuid4().hex}", "type": "charge", "amount": 10_000, "fee": 348, "currency": "gbp"}
    fields |= {"fee_details": [{"type": "stripe_fee", "amount": 290}, {"type": "tax", "amount": 58}]}
    fields |= {"source": "ch_1", "created": int(time.time()), "available_on": int(time.time())}
    return read_balance_transaction({**fields, **changes})


class TestStripesCosts:
    def test_the_fee_is_the_platforms_cost_and_booked_once_with_its_parts(self):
        payment = paid_order(10_000)
        costs = reported()
        book_costs_of_charge(payment, costs)
        book_costs_of_charge(payment, costs)
        assert balance_of(AccountKind.STRIPE_FEES, "GBP") == gbp(348)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(9652)
        assert balance_of_teacher(teacher_of(payment)).earned == gbp(9000)
        assert Journal.objects.get(kind="stripe_fee").description == "stripe_fee 290, tax 58"

    def test_the_fee_stays_the_platforms_cost_when_the_payment_is_refunded(self):
        payment = paid_order(10_000)
        book_costs_of_charge(payment, reported())
        report(refunded(payment), "succeeded")
        assert balance_of_teacher(teacher_of(payment)).earned == gbp(0)
        assert balance_of(AccountKind.STRIPE_FEES, "GBP") == gbp(348)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(-348)

    def test_a_payment_in_yen_that_is_credited_in_pounds_leaves_no_yen_at_stripe(self):
        payment = paid_order(10_000, currency="JPY")
        book_costs_of_charge(payment, reported(amount=5300, fee=200))
        assert balance_of(AccountKind.STRIPE_CLEARING, "JPY") == Money(0, "JPY")
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(5100)
        costs = {"id": "txn_r", "type": "refund", "amount": -5250, "fee": 0, "currency": "gbp", "fee_details": []}
        costs |= {"source": "re_1", "created": int(time.time()), "available_on": int(time.time())}
        report(refunded(payment), "succeeded", balance_transaction=costs)
        assert balance_of(AccountKind.STRIPE_CLEARING, "JPY") == Money(0, "JPY")
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(-150)
        assert balance_of(AccountKind.CONVERSION, "GBP") == gbp(-50)


@pytest.fixture(autouse=True)
def invariants_hold():
    yield
    assert broken(INVARIANTS) == {}
    assert not OrderLine.objects.filter(state="reserved", order__state="completed").exists()
