"""With SANDBOX_SETTLE_DELAY=0 everything that follows from a call has happened before it is answered."""

import pytest
import stripe

from sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def immediate(tmp_path_factory):
    process = SandboxProcess(tmp_path_factory.mktemp("immediate"), SANDBOX_SETTLE_DELAY="0", SANDBOX_ASYNC_DELAY="0")
    yield process
    process.close()


def pay(process, alias, **changes):
    by_card = {"payment_method": f"pm_card_{alias}", "payment_method_types": ["card"], "confirm": True}
    return process.client.v1.payment_intents.create({"amount": 2000, "currency": "usd", **by_card, **changes})


@pytest.mark.parametrize("attempt", range(5))
def test_a_dispute_exists_at_the_next_call(immediate, attempt):
    paid = pay(immediate, "createDispute")
    (dispute,) = immediate.client.v1.disputes.list({"payment_intent": paid.id}).data
    assert dispute.status == "needs_response"
    charge = immediate.client.v1.charges.retrieve(paid.latest_charge)
    assert (charge.disputed, charge.balance_transaction is None) == (True, False)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        immediate.client.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_disputed"
    evidence = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    immediate.client.v1.disputes.update(dispute.id, evidence)
    assert immediate.client.v1.disputes.retrieve(dispute.id).status == "won"


@pytest.mark.parametrize("attempt", range(5))
def test_funds_that_bypass_pending_can_be_paid_out_at_the_next_call(immediate, attempt):
    before = immediate.client.v1.balance.retrieve().available[0].amount
    pay(immediate, "bypassPending", amount=10000)
    assert immediate.client.v1.balance.retrieve().available[0].amount == before + 10000 - 320
    assert "balance.available" in immediate.event_types()


def test_payments_on_the_pages_settle_at_once_too(immediate):
    session = immediate.session()
    form = {"email": "ada@example.org", "cardNumber": "4242424242424242", "cardExpiry": "12 / 34", "cardCvc": "123",
            "billingName": "Ada"}  # fmt: skip
    assert immediate.post(f"/c/pay/{session.id}", **form).status_code == 303
    charge = immediate.client.v1.charges.list().data[0]
    assert charge.balance_transaction is not None


def test_events_keep_their_order(immediate):
    immediate.drain()
    immediate.switch("reset")
    pay(immediate, "createDispute")
    assert immediate.event_types() == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated",
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.updated",
    ]  # fmt: skip


def test_a_debit_and_a_refund_succeed_at_once(immediate):
    iban = {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"},
            "billing_details": {"name": "Ada", "email": "ada@example.org"}}  # fmt: skip
    paid = immediate.client.v1.payment_intents.create(
        {"amount": 2000, "currency": "eur", "payment_method_types": ["sepa_debit"], "payment_method_data": iban,
         "mandate_data": {"customer_acceptance": {"type": "offline"}}, "confirm": True}
    )  # fmt: skip
    assert immediate.client.v1.payment_intents.retrieve(paid.id).status == "succeeded"
    refund = immediate.client.v1.refunds.create({"payment_intent": pay(immediate, "pendingRefund").id})
    assert immediate.client.v1.refunds.retrieve(refund.id).status == "succeeded"
