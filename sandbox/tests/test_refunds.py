import pytest
import stripe

from sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture
def pay(sandbox):
    def paid(method="pm_card_visa"):
        session = sandbox.session()
        sandbox.pay(session, method)
        sandbox.advance(3)
        return sandbox.intent_of(session)

    return paid


def test_partial_refunds_add_up_to_a_refunded_charge(pay, sandbox, client):
    intent = pay()
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (500, False)
    client.v1.refunds.create({"charge": charge.id})
    charge = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (2000, True)
    assert [refund.amount for refund in charge.refunds.data] == [1500, 500]
    sandbox.advance(3)
    types = sandbox.event_types()
    assert types.count("refund.created") == types.count("charge.refunded") == 2
    assert types.count("refund.updated") == types.count("charge.refund.updated") == 2


def test_a_refund_never_exceeds_what_remains(pay, client):
    intent = pay()
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1500})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 600})
    expected = "Refund amount ($6.00) is greater than unrefunded amount on charge ($5.00)"
    assert refused.value.user_message == expected
    client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"


def test_a_refund_moves_the_balance_and_returns_no_fee(pay, client):
    intent = pay()
    refund = client.v1.refunds.create({"payment_intent": intent.id, "expand": ["balance_transaction"]})
    movement = refund.balance_transaction
    assert (movement.type, movement.amount, movement.fee, movement.net) == ("refund", -2000, 0, -2000)
    assert client.v1.balance.retrieve().pending[0].amount == -88


def test_a_pending_refund_succeeds_later(pay, sandbox, client):
    refund = client.v1.refunds.create({"payment_intent": pay("pm_card_pendingRefund").id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    sandbox.advance(3)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    updated = client.v1.events.list({"type": "refund.updated"}).data[0]
    assert updated.data.previous_attributes["status"] == "pending"


def test_a_failed_refund_returns_the_money_to_the_balance(pay, sandbox, client):
    intent = pay("pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    sandbox.advance(3)
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 2000
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert sandbox.event_types()[-3:] == ["refund.failed", "refund.updated", "charge.refund.updated"]


def test_a_refund_names_its_intent_its_charge_or_both(pay, client):
    intent, other = pay(), pay()
    with pytest.raises(stripe.InvalidRequestError, match="One of the following params should be provided"):
        client.v1.refunds.create({"amount": 500})
    with pytest.raises(stripe.InvalidRequestError, match="does not belong"):
        client.v1.refunds.create({"payment_intent": intent.id, "charge": other.latest_charge})
    both = client.v1.refunds.create({"payment_intent": intent.id, "charge": intent.latest_charge, "amount": 500})
    assert (both.charge, both.payment_intent) == (intent.latest_charge, intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such charge: 'ch_none'"):
        client.v1.refunds.create({"charge": "ch_none"})
    for parameters, code in (({"colour": "blue"}, "parameter_unknown"), ({"currency": "usd"}, "sandbox_not_supported")):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"payment_intent": intent.id, **parameters})
        assert refused.value.code == code
    with pytest.raises(stripe.InvalidRequestError, match="Invalid reason: must be one of duplicate, fraudulent, or"):
        client.v1.refunds.create({"payment_intent": intent.id, "reason": "mood"})


def test_refunds_can_be_updated_and_listed_but_not_cancelled(pay, sandbox, client):
    intent, other = pay(), pay()
    first = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500, "metadata": {"a": "1"}})
    second = client.v1.refunds.create({"payment_intent": other.id, "reason": "requested_by_customer"})
    updated = client.v1.refunds.update(first.id, {"metadata": {"b": "2"}})
    assert updated.metadata.to_dict() == {"a": "1", "b": "2"}
    event = client.v1.events.list({"type": "refund.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"metadata": {"b": None}}
    client.v1.refunds.update(first.id, {"metadata": {"b": "2"}})
    assert sandbox.event_types().count("refund.updated") == 1
    assert [refund.id for refund in client.v1.refunds.list().data] == [second.id, first.id]
    assert [refund.id for refund in client.v1.refunds.list({"charge": intent.latest_charge}).data] == [first.id]
    assert [refund.id for refund in client.v1.refunds.list({"payment_intent": other.id}).data] == [second.id]
    assert client.v1.refunds.list({"created": {"gt": second.created}}).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.cancel(first.id)
    assert refused.value.user_message == "Canceling this refund is unsupported."
    with pytest.raises(stripe.InvalidRequestError, match="No such refund: 're_none'"):
        client.v1.refunds.cancel("re_none")


def test_a_disputed_charge_can_be_refunded_only_after_the_dispute_is_won(pay, sandbox, client):
    intent = pay("pm_card_createDispute")
    sandbox.advance(5)
    parameters = {"charge": intent.latest_charge}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(parameters)
    assert refused.value.code == "charge_disputed"
    assert refused.value.user_message == f"Charge {intent.latest_charge} has been charged back; cannot issue a refund."
    dispute = client.v1.disputes.list(parameters).data[0]
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    sandbox.advance(5)
    assert client.v1.refunds.create(parameters).status == "succeeded"
    lost = pay("pm_card_createDispute")
    sandbox.advance(5)
    client.v1.disputes.close(client.v1.disputes.list({"charge": lost.latest_charge}).data[0].id)
    with pytest.raises(stripe.InvalidRequestError, match="has been charged back"):
        client.v1.refunds.create({"charge": lost.latest_charge})


def test_a_debit_is_refunded_by_a_bank_transfer(sandbox, client):
    debit = {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"}}
    details = {"name": "Ada", "email": "ada@example.org"}
    online = {"ip_address": "192.0.2.1", "user_agent": "test"}
    intent = client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "eur",
            "confirm": True,
            "mandate_data": {"customer_acceptance": {"type": "online", "online": online}},
            "payment_method_data": {**debit, "billing_details": details},
            "payment_method_types": ["sepa_debit"],
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"charge": intent.latest_charge})
    sandbox.advance(10)
    refund = client.v1.refunds.create({"charge": intent.latest_charge, "expand": ["balance_transaction"]})
    assert (refund.id[:4], refund.balance_transaction.type) == ("pyr_", "payment_refund")
    sandbox.advance(3)
    transfer = client.v1.refunds.retrieve(refund.id).destination_details.eu_bank_transfer
    assert transfer.reference_status == "available"


@pytest.fixture
def strict(tmp_path):
    """A sandbox that refunds only what the balance holds, and returns no dispute fees."""
    process = SandboxProcess(tmp_path, SANDBOX_REFUNDS_NEED_BALANCE="1", SANDBOX_DISPUTE_FEE_RETURNS="0")
    yield process
    process.close()


def charge_with(sandbox, alias):
    parameters = {
        "amount": 2000,
        "currency": "usd",
        "payment_method": f"pm_card_{alias}",
        "confirm": True,
        "payment_method_types": ["card"],
    }
    intent = sandbox.client.v1.payment_intents.create(parameters)
    sandbox.advance(5)
    return intent.latest_charge


def test_a_refund_beyond_the_balance_is_pending_until_there_is_enough(strict):
    refunds = strict.client.v1.refunds
    # The fee was deducted, so the balance holds less than the payment.
    refund = refunds.create({"charge": charge_with(strict, "visa")})
    assert (refund.status, refund.pending_reason, refund.balance_transaction) == ("pending", "insufficient_funds", None)
    strict.advance(3600)
    assert refunds.retrieve(refund.id).status == "pending"
    charge_with(strict, "visa")
    paid = refunds.retrieve(refund.id, {"expand": ["balance_transaction"]})
    assert (paid.status, paid.balance_transaction.amount) == ("succeeded", -2000)
    updated = strict.client.v1.events.list({"type": "refund.updated"}).data[-1].data
    assert updated.previous_attributes.to_dict() == {"balance_transaction": None, "status": "pending"}


def test_a_pending_refund_fails_when_its_charge_is_charged_back(strict):
    charge = charge_with(strict, "createDisputeInquiry")
    refund = strict.client.v1.refunds.create({"charge": charge, "amount": 1950})
    assert refund.pending_reason == "insufficient_funds"
    dispute = strict.client.v1.disputes.list().data[0]
    strict.client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    strict.advance(5)
    failed = strict.client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "charge_for_pending_refund_disputed")
    assert strict.client.v1.charges.retrieve(charge).amount_refunded == 0
    assert strict.client.v1.disputes.retrieve(dispute.id).balance_transactions[0].amount == -2000


def test_a_won_dispute_returns_no_fee_if_the_setting_says_so(strict):
    charge_with(strict, "createDispute")
    dispute = strict.client.v1.disputes.list().data[0]
    strict.client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    strict.advance(5)
    back = strict.client.v1.disputes.retrieve(dispute.id).balance_transactions[1]
    assert (back.amount, back.fee, back.fee_details, back.net) == (2000, 0, [], 2000)
