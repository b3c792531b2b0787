"""With SANDBOX_SETTLE_DELAY=0 what a call brings about has happened when it is answered."""

import pytest
import stripe

from sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    process = SandboxProcess(tmp_path_factory.mktemp("hasty"), SANDBOX_SETTLE_DELAY="0", SANDBOX_ASYNC_DELAY="0")
    yield process
    process.close()


def pay(process, alias, **changes):
    by_card = {"payment_method": f"pm_card_{alias}", "payment_method_types": ["card"], "confirm": True}
    return process.client.v1.payment_intents.create({"amount": 2000, "currency": "usd", **by_card, **changes})


@pytest.mark.parametrize("attempt", range(5))
def test_a_dispute_is_there_at_the_next_call(hasty, attempt):
    paid = pay(hasty, "createDispute")
    (dispute,) = hasty.client.v1.disputes.list({"payment_intent": paid.id}).data
    assert dispute.status == "needs_response"
    charge = hasty.client.v1.charges.retrieve(paid.latest_charge)
    assert (charge.disputed, charge.balance_transaction is None) == (True, False)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        hasty.client.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_disputed"
    evidence = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    hasty.client.v1.disputes.update(dispute.id, evidence)
    assert hasty.client.v1.disputes.retrieve(dispute.id).status == "won"


@pytest.mark.parametrize("attempt", range(5))
def test_funds_that_bypass_pending_can_be_paid_out_at_the_next_call(hasty, attempt):
    before = hasty.client.v1.balance.retrieve().available[0].amount
    pay(hasty, "bypassPending", amount=10000)
    assert hasty.client.v1.balance.retrieve().available[0].amount == before + 10000 - 320
    assert "balance.available" in hasty.event_types()


def test_the_pages_are_as_hasty(hasty):
    session = hasty.session()
    form = {"email": "ada@example.org", "cardNumber": "4242424242424242", "cardExpiry": "12 / 34", "cardCvc": "123",
            "billingName": "Ada"}  # fmt: skip
    assert hasty.post(f"/c/pay/{session.id}", **form).status_code == 303
    charge = hasty.client.v1.charges.list().data[0]
    assert charge.balance_transaction is not None


def test_events_keep_their_order(hasty):
    hasty.drain()
    hasty.switch("reset")
    pay(hasty, "createDispute")
    assert hasty.event_types() == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated",
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.updated",
    ]  # fmt: skip


def test_a_debit_is_answered_and_a_refund_finished_at_once(hasty):
    iban = {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"},
            "billing_details": {"name": "Ada", "email": "ada@example.org"}}  # fmt: skip
    paid = hasty.client.v1.payment_intents.create(
        {"amount": 2000, "currency": "eur", "payment_method_types": ["sepa_debit"], "payment_method_data": iban,
         "mandate_data": {"customer_acceptance": {"type": "offline"}}, "confirm": True}
    )  # fmt: skip
    assert hasty.client.v1.payment_intents.retrieve(paid.id).status == "succeeded"
    refund = hasty.client.v1.refunds.create({"payment_intent": pay(hasty, "pendingRefund").id})
    assert hasty.client.v1.refunds.retrieve(refund.id).status == "succeeded"
