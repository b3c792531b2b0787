import pytest
import stripe

from sandbox.tests.connected import DAY, charge, enabled, events, express, funds, of, types


@pytest.fixture
def teacher(sandbox, client):
    return enabled(sandbox, client)


def destination(account, **changes):
    return {"transfer_data": {"destination": account.id} | changes}


def movements(client, account=None):
    """Type, amount, fee and net of every balance transaction, oldest first."""
    listed = client.v1.balance_transactions.list({"limit": 100}, of(account) if account else None).data
    return [(m.type, m.amount, m.fee, m.net) for m in listed][::-1]


def test_a_destination_charge_transfers_its_whole_amount_and_takes_a_fee_back(sandbox, client, teacher):
    paid = charge(client, 3000, application_fee_amount=450, **destination(teacher))
    assert paid.transfer_group == f"group_{paid.id}"
    deep = {"expand": ["transfer", "application_fee"]}
    taken = client.v1.charges.retrieve(paid.latest_charge, deep)
    transfer, fee = taken.transfer, taken.application_fee
    assert (transfer.amount, transfer.source_transaction, transfer.source_type) == (3000, taken.id, "card")
    assert (transfer.destination, transfer.transfer_group) == (teacher.id, paid.transfer_group)
    assert (taken.application_fee_amount, taken.transfer_data.amount) == (450, None)
    assert (fee.amount, fee.account, fee.charge) == (450, teacher.id, transfer.destination_payment)
    assert (fee.originating_transaction, fee.fee_source.charge) == (taken.id, transfer.destination_payment)
    assert fee.application.startswith("ca_")
    payment = client.v1.charges.retrieve(transfer.destination_payment, {"expand": ["balance_transaction"]}, of(teacher))
    assert (payment.application_fee, payment.application_fee_amount) == (fee.id, 450)
    (detail,) = payment.balance_transaction.fee_details
    assert (detail.type, detail.amount, detail.application) == ("application_fee", 450, fee.application)
    assert movements(client, teacher) == [("payment", 3000, 450, 2550)]
    assert movements(client) == [
        ("charge", 3000, 117, 2883),
        ("transfer", -3000, 0, -3000),
        ("application_fee", 450, 0, 450),
    ]


def test_with_an_amount_only_that_much_is_transferred_without_a_fee(sandbox, client, teacher):
    paid = charge(client, 3000, **destination(teacher, amount=2000))
    taken = client.v1.charges.retrieve(paid.latest_charge, {"expand": ["transfer"]})
    assert (taken.transfer.amount, taken.application_fee, taken.transfer_data.amount) == (2000, None, 2000)
    assert movements(client, teacher) == [("payment", 2000, 0, 2000)]


def test_an_asynchronous_capture_creates_transfer_and_balance_transaction_together(sandbox, client, teacher):
    paid = charge(client, 3000, method="pm_card_visa", capture_method="automatic_async", application_fee_amount=450,
                  **destination(teacher))  # fmt: skip
    early = client.v1.charges.retrieve(paid.latest_charge)
    assert (early.application_fee, "transfer" in early, early.balance_transaction) == (None, False, None)
    sandbox.advance(3)
    late = client.v1.charges.retrieve(paid.latest_charge, {"expand": ["transfer.destination_payment"]})
    assert late.transfer.destination_payment.amount == 3000
    assert types(client)[-3:] == ["transfer.created", "application_fee.created", "charge.updated"]
    (event,) = events(client)[-1:]
    assert {"transfer", "application_fee", "balance_transaction"} <= event.data.previous_attributes.to_dict().keys()
    assert (funds(client, teacher)) == (0, 2550)
    sandbox.advance(3 * DAY)
    assert (funds(client, teacher)) == (2550, 0)


def test_a_partial_capture_transfers_only_what_was_captured(sandbox, client, teacher):
    paid = charge(client, 3000, method="pm_card_visa", capture_method="manual", application_fee_amount=450,
                  **destination(teacher))  # fmt: skip
    assert movements(client, teacher) == []
    client.v1.payment_intents.capture(paid.id, {"amount_to_capture": 1000})
    sandbox.advance(3)
    assert movements(client, teacher) == [("payment", 1000, 450, 550)]


def test_a_checkout_payment_is_shared_like_an_intent(sandbox, client, teacher):
    data = {"application_fee_amount": 200, **destination(teacher), "on_behalf_of": teacher.id}
    session = sandbox.session(payment_intent_data=data)
    assert sandbox.pay(session).status_code == 200
    sandbox.advance(3)
    taken = client.v1.charges.retrieve(sandbox.intent_of(session).latest_charge)
    assert (taken.on_behalf_of, taken.application_fee_amount) == (teacher.id, 200)
    assert movements(client, teacher) == [("payment", 2000, 200, 1800)]


def test_invalid_shares_are_refused(sandbox, client, teacher):
    with pytest.raises(stripe.InvalidRequestError, match="Can only apply an application_fee_amount"):
        charge(client, application_fee_amount=100)
    with pytest.raises(stripe.InvalidRequestError, match="application_fee_amount cannot be larger"):
        charge(client, 2000, application_fee_amount=2001, **destination(teacher))
    with pytest.raises(stripe.InvalidRequestError, match="mutually exclusive"):
        charge(client, application_fee_amount=100, **destination(teacher, amount=100))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        charge(client, **destination(express(client)))
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    with pytest.raises(stripe.InvalidRequestError, match="No such destination: 'acct_x'"):
        sandbox.session(payment_intent_data={"transfer_data": {"destination": "acct_x"}})


def test_a_direct_charge_belongs_to_the_account_and_its_fee_to_the_platform(sandbox, client, teacher):
    before = types(client)
    paid = charge(client, 2000, application_fee_amount=300, options=of(teacher))
    taken = client.v1.charges.retrieve(paid.latest_charge, {"expand": ["application_fee"]}, of(teacher))
    assert (taken.application_fee.amount, taken.application_fee.charge) == (300, taken.id)
    assert paid.application == taken.application == taken.application_fee.application
    with pytest.raises(stripe.InvalidRequestError, match="No such charge"):
        client.v1.charges.retrieve(paid.latest_charge)
    (movement,) = client.v1.balance_transactions.list(None, of(teacher)).data
    assert (movement.fee, movement.net) == (388, 1612)
    assert [(detail.type, detail.amount) for detail in movement.fee_details] == [
        ("application_fee", 300),
        ("stripe_fee", 88),
    ]
    assert movements(client) == [("application_fee", 300, 0, 300)]
    assert types(client)[len(before) :] == ["application_fee.created"]
    own = [event for event in events(client, teacher) if event.type.startswith(("charge", "payment_intent"))]
    assert {event.type for event in own} == {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}
    assert {event.account for event in own} == {teacher.id}


def test_a_refund_does_not_reverse_the_transfer_by_default(sandbox, client, teacher):
    paid = charge(client, 3000, application_fee_amount=450, **destination(teacher))
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    assert refund.transfer_reversal is None
    assert movements(client, teacher) == [("payment", 3000, 450, 2550)]


def test_a_refund_reverses_transfer_and_fee_in_proportion(sandbox, client, teacher):
    paid = charge(client, 3000, application_fee_amount=450, **destination(teacher))
    both = {"payment_intent": paid.id, "reverse_transfer": True, "refund_application_fee": True}
    refund = client.v1.refunds.create(both | {"amount": 1000, "expand": ["transfer_reversal"]})
    assert (refund.transfer_reversal.amount, refund.transfer_reversal.source_refund) == (1000, refund.id)
    fee = client.v1.application_fees.list().data[0]
    assert (fee.amount_refunded, fee.refunded, fee.refunds.data[0].amount) == (150, False, 150)
    client.v1.refunds.create(both)
    transfer = client.v1.transfers.list().data[0]
    fee = client.v1.application_fees.retrieve(fee.id)
    assert (transfer.reversed, transfer.amount_reversed, fee.refunded) == (True, 3000, True)
    assert (sum(funds(client)), sum(funds(client, teacher))) == (-117, 0)
    emitted = [kind for kind in types(client) if kind in ("transfer.reversed", "application_fee.refunded")]
    assert emitted == ["transfer.reversed", "application_fee.refunded"] * 2


def test_a_refund_before_the_charge_has_settled_reverses_the_transfer_later(sandbox, client, teacher):
    paid = charge(client, 3000, method="pm_card_visa", capture_method="automatic_async", **destination(teacher))
    client.v1.refunds.create({"payment_intent": paid.id, "reverse_transfer": True})
    sandbox.advance(3)
    assert client.v1.transfers.list().data[0].reversed is True
    assert types(client).count("transfer.created") == 1


def test_a_refund_cannot_reverse_a_transfer_that_does_not_exist(sandbox, client):
    paid = charge(client)
    for name in ("reverse_transfer", "refund_application_fee"):
        with pytest.raises(stripe.InvalidRequestError, match=f"`{name}` cannot be set"):
            client.v1.refunds.create({"payment_intent": paid.id, name: True})
    assert client.v1.refunds.list().data == []


def test_a_direct_charge_is_refunded_on_its_account(sandbox, client, teacher):
    paid = charge(client, 2000, application_fee_amount=300, options=of(teacher))
    client.v1.refunds.create({"payment_intent": paid.id, "refund_application_fee": True}, of(teacher))
    fee = client.v1.application_fees.list({"charge": paid.latest_charge}).data[0]
    assert fee.refunded is True
    assert sum(funds(client)) == 0
    assert sum(funds(client, teacher)) == -88


def test_application_fees_can_be_refunded_in_parts_and_the_refunds_updated(sandbox, client, teacher):
    charge(client, 3000, application_fee_amount=450, **destination(teacher))
    fee = client.v1.application_fees.list().data[0]
    refunds = client.v1.application_fees.refunds
    made = refunds.create(fee.id, {"amount": 100, "metadata": {"a": "1"}, "expand": ["balance_transaction", "fee"]})
    assert (made.balance_transaction.type, made.balance_transaction.net) == ("application_fee_refund", -100)
    assert made.fee.amount_refunded == 100
    with pytest.raises(stripe.InvalidRequestError, match=r"\(\$4.00\) is greater than unrefunded .* \(\$3.50\)"):
        refunds.create(fee.id, {"amount": 400})
    assert refunds.update(fee.id, made.id, {"metadata": {"b": "2"}}).metadata.to_dict() == {"a": "1", "b": "2"}
    assert refunds.retrieve(fee.id, made.id).metadata.b == "2"
    assert [r.id for r in refunds.list(fee.id).data] == [made.id]
    refunds.create(fee.id)
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        refunds.create(fee.id)
    assert movements(client, teacher)[-1][:2] == ("adjustment", 350)
    emitted = [kind for kind in types(client) if kind.startswith("application_fee")]
    assert emitted == [
        "application_fee.created",
        "application_fee.refunded",
        "application_fee.refund.updated",
        "application_fee.refunded",
    ]
    with pytest.raises(stripe.InvalidRequestError, match="No such application fee"):
        client.v1.application_fees.retrieve("fee_x")


def test_fees_depend_on_the_country_of_the_account_paid_on_behalf_of(sandbox, client):
    german = enabled(
        sandbox,
        client,
        country="DE",
        external_account={
            "object": "bank_account",
            "country": "DE",
            "currency": "eur",
            "account_number": "DE89370400440532013000",
        },
    )
    charge(client, 2000, currency="eur", on_behalf_of=german.id, **destination(german))
    assert movements(client)[0] == ("charge", 2000, 90, 1910)
