import pytest
import stripe


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


def test_a_failing_refund_gives_the_money_back_to_the_balance(pay, sandbox, client):
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
