"""Payments with a saved card are payments like others: reconciled, refunded, and derived again from orders and statement."""

import pytest

from jobs.runner import drain
from payments.charges import look_up_charge
from payments.models import ChargeLookup, Payment, Refund
from payments.refunds.recording import record_refund
from payments.tests.card_factories import ASKS, answer_bank, charges_of
from payments.tests.factories import refunded
from payments.tests.test_paying_with_saved_cards import press, ready
from payments.tests.test_rebuilding import rebuild
from payments.tests.test_reconciliation_runs import reconcile, wait_for_transactions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


def paid(sandbox):
    cart, client, method = ready(sandbox)
    press(client, cart, method)
    payment = Payment.objects.latest("pk")
    wait_for_transactions(sandbox, of=payment.stripe_payment_intent_id)
    look_up_charge(ChargeLookup.objects.get(payment=payment))
    payment.refresh_from_db()
    return payment


def test_reconciliation_and_rebuilding_know_them_with_their_refunds(stripe_sandbox):
    kept, returned = paid(stripe_sandbox), paid(stripe_sandbox)
    assert kept.paid_with == "Visa ending in 4242"
    assert kept.stripe_fee_minor > 0
    refunded(returned)
    Refund.objects.update(run_after="2000-01-01T00:00Z")
    drain(Refund, seconds=10)
    refund = Refund.objects.get()
    from payments import gateway

    record_refund(gateway.retrieve_refund(refund.stripe_refund_id))
    report, code = reconcile("--fix")
    assert code == 0, report
    report, code = rebuild()
    assert code == 0, report


def test_a_charge_that_no_event_reported_is_found_by_reconciliation(stripe_sandbox):
    """The student has answered their bank, closed the window, and every event about it was lost."""
    cart, client, method = ready(stripe_sandbox, ASKS)
    answer_bank(press(client, cart, method).url)
    payment = Payment.objects.get()
    wait_for_transactions(stripe_sandbox, of=payment.stripe_payment_intent_id)
    reconcile("--fix")
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    assert charges_of(stripe_sandbox) == [2500]
