"""Refunds of payments in yen on an account that Stripe keeps in pounds, and what comes back when they fail.

Each test compares the books with the statement and derives them a second time.
"""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.invariants import broken
from ledger.balances import balance_of
from ledger.entries import AccountKind
from ledger.models import Journal
from payments.earnings.stripe_costs import book_costs_of_charge
from payments.invariants import INVARIANTS
from payments.models import StripeMovement
from payments.rebuilding.rebuild import rebuild
from payments.rebuilding.second_books import compare_books, create_second_books
from payments.reconciliation.book_loading import load_groups
from payments.reconciliation.groups import Terms
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.matching import compare
from payments.reconciliation.statement_reading import store_movements
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_balance_transaction, read_refund
from payments.tests.factories import paid_order, refund_object, refunded

pytestmark = pytest.mark.django_db
ACCOUNT = {"account": "acct_1", "livemode": False}


class Stripe:
    """A payment of 10,000 JPY that was credited as 53.00 GBP less 2.00, its refund, and Stripe's statement of both."""

    def __init__(self, currency="JPY"):
        self.payment = paid_order(10_000, currency=currency)
        charge = {"object": "charge", "id": "ch_1", "payment_intent": self.payment.stripe_payment_intent_id}
        kept = self.transaction("charge", 5300, charge, fee=200) if currency == "JPY" else None
        kept = kept or self.transaction("charge", 10_000, charge, fee=200)
        book_costs_of_charge(self.payment, read_balance_transaction({**kept, "source": "ch_1"}))
        self.refund = refunded(self.payment)
        self.refund_id = f"re_{uuid.uuid4().hex}"
        self.facts = {"balance_transaction": None, "failure_balance_transaction": None}

    def transaction(self, kind, minor, source, fee=0):
        """A line of the statement, in pounds."""
        now = int(timezone.now().timestamp())
        facts = {"id": f"txn_{uuid.uuid4().hex}", "type": kind, "reporting_category": kind, "currency": "gbp"}
        facts |= {"amount": minor, "fee": fee, "created": now, "available_on": now}
        facts["fee_details"] = [{"type": "stripe_fee", "amount": fee}] if fee else []
        store_movements([{**facts, "source": {"currency": self.payment.currency.lower(), **source}}], **ACCOUNT)
        return {**facts, "source": source["id"]}

    def debit(self, minor, **changes):
        """Stripe takes the refund's money from the balance."""
        self.facts["balance_transaction"] = self._of_refund("refund", -minor, **changes)

    def credit(self, minor, **changes):
        """Stripe gives it back to the balance, since the refund failed."""
        self.facts["failure_balance_transaction"] = self._of_refund("refund_failure", minor, **changes)

    def _of_refund(self, kind, minor, **changes):
        intent = self.payment.stripe_payment_intent_id
        source = {"object": "refund", "id": self.refund_id, "payment_intent": intent, "status": "failed"}
        return self.transaction(kind, minor, source, **changes)

    def report(self, status):
        record_refund(read_refund(refund_object(self.refund, id=self.refund_id, status=status, **self.facts)))
        self.refund.refresh_from_db()


def clearing_is_the_statement():
    moved = sum(row.net_minor for row in StripeMovement.objects.all())
    return balance_of(AccountKind.STRIPE_CLEARING, "GBP").minor == moved and clearing("JPY") == 0


def clearing(currency="GBP"):
    return balance_of(AccountKind.STRIPE_CLEARING, currency).minor


def differences(after=timedelta(hours=1)):
    keys = sorted(set(StripeMovement.objects.values_list("match_key", flat=True)))
    terms = Terms(livemode=False, settled_before=timezone.now() + after)
    findings = [finding for group in load_groups(keys, **ACCOUNT) for finding in compare(group, terms)]
    return [(finding.kind, finding.amount_minor, finding.currency) for finding in findings]


def derived_anew():
    """The journals in which the books and those derived a second time differ."""
    create_second_books("ashes")
    for _ in rebuild("ashes", **ACCOUNT):
        pass
    comparison = compare_books("ashes")
    return comparison.only_first, comparison.only_second, comparison.different


@pytest.mark.parametrize("returned", [5250, 5225, 5310], ids=["same rate", "loss", "gain"])
def test_a_refund_that_fails_after_its_success_brings_back_what_stripe_credits(returned):
    stripe = Stripe()
    stripe.debit(5250)
    stripe.report("succeeded")
    stripe.credit(returned)
    stripe.report("failed")
    stripe.report("failed")
    assert clearing() == 5300 - 200 - 5250 + returned
    assert clearing("JPY") == 0
    assert clearing_is_the_statement()
    # The yen of the sale stay converted; what the way there and back took is left beside its pounds.
    assert balance_of(AccountKind.CONVERSION, "JPY").minor == 10_000
    assert balance_of(AccountKind.CONVERSION, "GBP").minor == -5300 + 5250 - returned
    assert (
        balance_of(AccountKind.PLATFORM_FEES, "JPY").minor
        + balance_of(AccountKind.TEACHER_PENDING, "JPY", teacher_id=stripe.payment.order.lines.get().teacher_id).minor
        == 10_000
    )
    assert differences() == []
    assert derived_anew() == ([], [], [])


def test_a_return_whose_transaction_is_not_reported_yet_is_booked_by_the_next_report():
    stripe = Stripe()
    stripe.debit(5250)
    stripe.report("succeeded")
    stripe.report("failed")
    stripe.credit(5225)
    assert differences() == [(Kind.CONVERSION_RESIDUE, 5225, "GBP"), (Kind.CONVERSION_RESIDUE, -10_000, "JPY")]
    stripe.report("failed")
    assert differences() == []
    assert clearing_is_the_statement()


def test_the_costs_of_a_refund_are_booked_even_if_it_is_reported_with_them_only_when_it_failed():
    stripe = Stripe()
    stripe.report("succeeded")
    stripe.debit(5250)
    stripe.credit(5225)
    stripe.report("failed")
    assert differences() == []
    assert clearing_is_the_statement()
    assert derived_anew() == ([], [], [])


def test_fees_of_both_ways_are_booked():
    stripe = Stripe()
    stripe.debit(5250, fee=30)
    stripe.report("succeeded")
    stripe.credit(5225, fee=-30)
    assert (Kind.MISSING_FEE, 30, "GBP") in differences()
    stripe.report("failed")
    assert balance_of(AccountKind.STRIPE_FEES, "GBP").minor == 200
    assert differences() == []
    assert derived_anew() == ([], [], [])


@pytest.mark.parametrize(("debited", "credited"), [(5250, 5250), (5250, 5225)])
def test_a_refund_that_fails_while_pending_costs_what_the_rates_differ_by(debited, credited):
    stripe = Stripe()
    stripe.debit(debited)
    stripe.report("pending")
    stripe.credit(credited)
    stripe.report("failed")
    assert clearing_is_the_statement()
    assert balance_of(AccountKind.CONVERSION, "GBP").minor == -5300 + debited - credited
    assert differences() == []
    assert derived_anew() == ([], [], [])


class TestWithoutConversion:
    def test_a_refund_that_fails_while_pending_leaves_no_difference(self):
        stripe = Stripe("GBP")
        stripe.debit(10_000)
        stripe.report("pending")
        stripe.credit(10_000)
        stripe.report("failed")
        assert not Journal.objects.filter(source__endswith=":succeeded").exists()
        assert differences() == []
        assert clearing_is_the_statement()
        assert derived_anew() == ([], [], [])

    def test_its_money_is_under_way_until_stripe_has_given_it_back(self):
        stripe = Stripe("GBP")
        stripe.debit(10_000)
        stripe.report("pending")
        stripe.report("failed")
        assert differences(after=timedelta(days=20)) == [(Kind.CUT_OFF, -10_000, "GBP")]
        assert differences(after=timedelta(days=22)) == [(Kind.MISSING_EVENT, -10_000, "GBP")]

    def test_a_failure_that_no_event_reported_is_found_until_it_is_fetched(self):
        stripe = Stripe("GBP")
        stripe.debit(10_000)
        stripe.report("pending")
        stripe.credit(10_000)
        assert differences() == [(Kind.MISSING_EVENT, -10_000, "GBP"), (Kind.REFUND_FAILED, 10_000, "GBP")]
        stripe.report("failed")
        assert differences() == []

    def test_less_than_was_taken_is_a_difference_of_amount(self):
        stripe = Stripe("GBP")
        stripe.debit(10_000)
        stripe.report("pending")
        stripe.credit(9_900)
        stripe.report("failed")
        assert differences() == [(Kind.AMOUNT_DIFFERS, -100, "GBP")]


@pytest.fixture(autouse=True)
def invariants_hold():
    yield
    assert broken(INVARIANTS) == {}
