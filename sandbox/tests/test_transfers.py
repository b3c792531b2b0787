import pytest
import stripe

from sandbox.tests.connected import DAY, charge, custom, enabled, events, express, funds, of, types


@pytest.fixture
def teacher(sandbox, client):
    return enabled(sandbox, client)


def transfer(client, account, amount=1000, **changes):
    return client.v1.transfers.create({"amount": amount, "currency": "usd", "destination": account.id, **changes})


def test_a_transfer_moves_available_money_and_is_recorded_on_both_accounts(sandbox, client, teacher):
    charge(client, 2000)
    made = transfer(client, teacher, metadata={"order": "7"}, transfer_group="order-7", expand=["balance_transaction"])
    assert (made.amount_reversed, made.reversed, made.source_type) == (0, False, "card")
    assert (made.balance_transaction.type, made.balance_transaction.net) == ("transfer", -1000)
    assert (funds(client), funds(client, teacher)) == ((912, 0), (1000, 0))
    payment = client.v1.charges.retrieve(made.destination_payment, {"expand": ["source_transfer"]}, of(teacher))
    assert (payment.id[:3], payment.source_transfer.id) == ("py_", made.id)
    assert payment.payment_method_details.type == "stripe_account"
    (arrived,) = client.v1.balance_transactions.list(None, of(teacher)).data
    assert (arrived.type, arrived.amount, arrived.source, arrived.status) == ("payment", 1000, payment.id, "available")
    assert types(client)[-1] == "transfer.created"
    (created,) = [event for event in events(client, teacher) if event.type == "payment.created"]
    assert (created.account, created.data.object["id"]) == (teacher.id, payment.id)


def test_both_sides_of_a_transfer_can_be_expanded(sandbox, client, teacher):
    charge(client)
    made = transfer(client, teacher)
    deep = {"expand": ["destination_payment.balance_transaction", "destination"]}
    again = client.v1.transfers.retrieve(made.id, deep)
    assert again.destination_payment.balance_transaction.net == 1000
    assert again.destination.id == teacher.id


def test_money_that_is_not_available_cannot_be_transferred(sandbox, client, teacher):
    charge(client, 2000, method="pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, teacher)
    assert refused.value.code == "balance_insufficient"
    assert "You have insufficient available funds in your Stripe account" in refused.value.user_message
    assert "4000000000000077" in refused.value.user_message


def test_a_source_charge_can_be_transferred_while_pending_up_to_its_amount(sandbox, client, teacher):
    paid = charge(client, 2000, method="pm_card_visa")
    source = {"source_transaction": paid.latest_charge}
    made = transfer(client, teacher, 1500, **source)
    assert made.source_transaction == paid.latest_charge
    assert (funds(client), funds(client, teacher)) == ((0, 412), (0, 1500))
    with pytest.raises(stripe.InvalidRequestError, match=r"must not exceed the source amount of \$20.00. .*\$15.00"):
        transfer(client, teacher, 600, **source)
    sandbox.advance(3 * DAY)
    assert (funds(client), funds(client, teacher)) == ((412, 0), (1500, 0))
    assert types(client, teacher)[-1] == "balance.available"


def test_invalid_transfers_are_refused(sandbox, client, teacher):
    charge(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, express(client))
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    with pytest.raises(stripe.InvalidRequestError, match="No such destination: 'acct_none'"):
        client.v1.transfers.create({"amount": 1, "currency": "usd", "destination": "acct_none"})
    own = client.v1.accounts.retrieve_current()
    with pytest.raises(stripe.InvalidRequestError, match="your own account"):
        transfer(client, own)
    with pytest.raises(stripe.InvalidRequestError, match="No such charge: 'ch_x'"):
        transfer(client, teacher, source_transaction="ch_x")
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: amount"):
        client.v1.transfers.create({"currency": "usd", "destination": teacher.id})
    with pytest.raises(stripe.InvalidRequestError, match="Invalid positive integer"):
        transfer(client, teacher, 0)


def test_transfers_are_listed_by_destination_and_group(sandbox, client, teacher):
    other = enabled(sandbox, client)
    charge(client, 5000)
    first = transfer(client, teacher, transfer_group="a")
    second = transfer(client, other, transfer_group="a")
    third = transfer(client, other, transfer_group="b")

    def ids(**filters):
        return [found.id for found in client.v1.transfers.list(filters).data]

    assert ids() == [third.id, second.id, first.id]
    assert ids(destination=other.id) == [third.id, second.id]
    assert ids(transfer_group="a") == [second.id, first.id]
    assert ids(destination=teacher.id, transfer_group="b") == []
    assert ids(created={"gt": first.created + 100}) == []


def test_only_description_and_metadata_of_a_transfer_can_be_updated(sandbox, client, teacher):
    charge(client)
    made = transfer(client, teacher, metadata={"a": "1"})
    changed = client.v1.transfers.update(made.id, {"metadata": {"b": "2"}, "description": "Lessons"})
    assert (changed.metadata.to_dict(), changed.description) == ({"a": "1", "b": "2"}, "Lessons")
    (event,) = events(client, type="transfer.updated")
    assert event.data.previous_attributes.to_dict() == {"description": None, "metadata": {"b": None}}
    client.v1.transfers.update(made.id, {"description": "Lessons"})
    assert len(events(client, type="transfer.updated")) == 1
    with pytest.raises(stripe.InvalidRequestError, match="No such transfer: 'tr_x'"):
        client.v1.transfers.retrieve("tr_x")


def test_a_transfer_can_be_reversed_in_parts(sandbox, client, teacher):
    charge(client, 2000)
    made = transfer(client, teacher)
    reversals = client.v1.transfers.reversals
    part = reversals.create(made.id, {"amount": 400, "metadata": {"why": "late"}, "expand": ["balance_transaction"]})
    assert (part.amount, part.transfer, part.balance_transaction.type) == (400, made.id, "transfer_refund")
    again = client.v1.transfers.retrieve(made.id)
    assert (again.amount_reversed, again.reversed, again.reversals.total_count) == (400, False, 1)
    with pytest.raises(stripe.InvalidRequestError, match=r"\(\$7.00\) is greater than unreversed .* \(\$6.00\)"):
        reversals.create(made.id, {"amount": 700})
    rest = reversals.create(made.id)
    assert rest.amount == 600
    again = client.v1.transfers.retrieve(made.id)
    assert (again.amount_reversed, again.reversed) == (1000, True)
    assert [found.id for found in again.reversals.data] == [rest.id, part.id]
    with pytest.raises(stripe.InvalidRequestError, match="has already been reversed"):
        reversals.create(made.id)
    assert (funds(client), funds(client, teacher)) == ((1912, 0), (0, 0))
    changes = [event.data.previous_attributes.to_dict() for event in events(client, type="transfer.reversed")]
    assert changes == [{"amount_reversed": 0}, {"amount_reversed": 400, "reversed": False}]


def test_a_reversal_is_a_refund_on_the_destination_account(sandbox, client, teacher):
    charge(client)
    made = transfer(client, teacher)
    reversal = client.v1.transfers.reversals.create(made.id, {"expand": ["destination_payment_refund"]})
    refund = reversal.destination_payment_refund
    assert (refund.id[:4], refund.amount, refund.source_transfer_reversal) == ("pyr_", 1000, reversal.id)
    payment = client.v1.charges.retrieve(made.destination_payment, None, of(teacher))
    assert (payment.amount_refunded, payment.refunded) == (1000, True)
    assert client.v1.refunds.list({"charge": payment.id}, of(teacher)).data[0].id == refund.id


def test_reversals_can_be_retrieved_updated_and_listed(sandbox, client, teacher):
    charge(client, 4000)
    first, second = transfer(client, teacher), transfer(client, teacher)
    made = client.v1.transfers.reversals.create(first.id, {"amount": 100})
    changed = client.v1.transfers.reversals.update(first.id, made.id, {"metadata": {"a": "b"}})
    assert changed.metadata.to_dict() == {"a": "b"}
    deep = {"expand": ["transfer.balance_transaction", "balance_transaction"]}
    read = client.v1.transfers.reversals.retrieve(first.id, made.id, deep)
    assert (read.transfer.balance_transaction.net, read.metadata.a) == (-1000, "b")
    assert client.v1.transfers.retrieve(first.id).reversals.data[0].metadata.a == "b"
    assert [r.id for r in client.v1.transfers.reversals.list(first.id).data] == [made.id]
    assert client.v1.transfers.reversals.list(second.id).data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such transfer reversal"):
        client.v1.transfers.reversals.retrieve(second.id, made.id)


def test_a_reversal_can_leave_a_negative_balance_only_if_the_platform_is_liable(sandbox, client):
    liability = {"losses": {"payments": "stripe"}, "requirement_collection": "application"}
    controller = liability | {"stripe_dashboard": {"type": "none"}, "fees": {"payer": "application"}}
    covered = custom(client)
    uncovered = client.v1.accounts.create({"controller": controller, **_enabling(client)})
    sandbox.advance(3)
    charge(client, 9000)
    for account in (covered, uncovered):
        transfer(client, account)
        client.v1.payouts.create({"amount": 1000, "currency": "usd"}, of(account))
    (to_uncovered, to_covered) = client.v1.transfers.list().data
    with pytest.raises(stripe.InvalidRequestError, match="not have enough funds"):
        client.v1.transfers.reversals.create(to_uncovered.id)
    client.v1.transfers.reversals.create(to_covered.id)
    assert funds(client, covered) == (-1000, 0)
    reserved = client.v1.balance.retrieve().connect_reserved[0]
    assert (reserved.amount, reserved.currency) == (1000, "usd")
    held_back = funds(client)[0] - 1000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, uncovered, held_back + 1)
    assert refused.value.code == "balance_insufficient"
    assert transfer(client, uncovered, held_back).amount == held_back


def _enabling(client):
    """The parameters that enable an account, apart from its type."""
    from sandbox.tests.connected import PERSON, bank

    return {
        "business_type": "individual",
        "business_profile": {"mcc": "8299", "url": "https://ada.example.org"},
        "capabilities": {"transfers": {"requested": True}},
        "individual": PERSON,
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        "tos_acceptance": {"date": 1790000000, "ip": "192.0.2.1"},
        **bank(),
    }
