"""After a mixture of everything, at Stripe and here, the statement and the books agree; what is missed is found."""

from datetime import timedelta

import pytest

from jobs.runner import drain
from notifications.models import Alert
from payments.models import ChargeLookup, Dispute, FetchedEvent, Payment, ReconciliationTotal, Refund, WebhookEvent
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, refunded, sample_offer
from payments.tests.test_checkout import press_pay, signed_in
from payments.tests.test_reconciliation_runs import found, reconcile, stripe_post, wait_for_transactions
from payments.tests.test_sweeps import after

pytestmark = pytest.mark.django_db
AT_ONCE = "2000-01-01T00:00Z"


def buy_with(sandbox, method="pm_card_visa"):
    """A payment at Stripe with a test card; no event is delivered."""
    cart = cart_with(sample_offer(), sample_offer())
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.latest("pk")
    sandbox.pay(payment.stripe_session_id, method)
    wait_for_transactions(sandbox, of=sandbox.intent_of(payment))
    return payment


def work(*kinds):
    for kind in kinds:
        kind.objects.filter(state="waiting").update(run_after=AT_ONCE)
        drain(kind, seconds=20)


def take_in_everything():
    """Process every event at Stripe, and what follows from it."""
    take_in_missed_events()
    work(WebhookEvent, FetchedEvent, Refund, ChargeLookup)
    take_in_missed_events()
    work(WebhookEvent, FetchedEvent)


def settled(sandbox, *methods):
    payments = [buy_with(sandbox, method) for method in methods]
    take_in_everything()
    for payment in payments:
        payment.refresh_from_db()
        assert payment.has_succeeded
    return payments


def test_after_a_mixture_of_everything_there_is_no_difference(stripe_sandbox):
    payments = settled(
        stripe_sandbox, "pm_card_visa", "pm_card_visa", "pm_card_refundFail", "pm_card_createDispute", "pm_card_visa"
    )
    plain, partly, failing, disputed, _ = payments
    refunded(plain)
    stripe_post(stripe_sandbox, "refunds", payment_intent=partly.stripe_payment_intent_id, amount=700)
    refunded(failing)
    work(Refund)
    with after(timedelta(hours=1), stripe_sandbox):
        take_in_everything()
        dispute = Dispute.objects.get(payment=disputed)
        evidence = {"evidence[uncategorized_text]": "winning_evidence"}
        stripe_post(stripe_sandbox, f"disputes/{dispute.stripe_dispute_id}", submit="true", **evidence)
    with after(timedelta(hours=2), stripe_sandbox):
        take_in_everything()
        output, code = reconcile()
    assert (found(), code) == ([], 0), output
    total = ReconciliationTotal.objects.get()
    assert total.stripe_minor == total.ledger_minor == total.balance_minor
    dispute.refresh_from_db()
    assert dispute.status == "won"


def test_a_dispute_that_no_event_reported_is_found_and_taken_in(stripe_sandbox):
    settled(stripe_sandbox, "pm_card_visa")
    late = buy_with(stripe_sandbox, "pm_card_createDispute")
    with after(timedelta(hours=1), stripe_sandbox):
        output, _ = reconcile()
        assert [kind for kind, _, _ in found()] == [Kind.DISPUTE_NOT_BOOKED, Kind.MISSING_EVENT], output
        # The dispute of a payment that is not settled here cannot be recorded before the payment.
        reconcile("--fix")
        output, code = reconcile("--fix")
        assert code == 0, output
        assert Dispute.objects.get().payment_id == late.pk
        output, code = reconcile()
        assert (found(), code) == ([], 0), output
    assert not Alert.objects.filter(key="reconciliation", cleared_at=None).exists()


def test_a_refund_that_failed_after_it_succeeded_is_found_and_put_back(stripe_sandbox):
    [payment] = settled(stripe_sandbox, "pm_card_refundFail")
    refunded(payment)
    work(Refund)
    assert Refund.objects.get().status == "succeeded"
    with after(timedelta(hours=1), stripe_sandbox):
        reconcile()
        assert found() == [(Kind.REFUND_FAILED, payment.amount_minor, "GBP")]
        assert reconcile("--fix")[1] == 0
        assert Refund.objects.get().status == "failed"
        assert reconcile()[1] == 0
        assert found() == []
