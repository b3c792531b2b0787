import pytest
import stripe

DAY = 24 * 3600


def charge(client, **changes):
    return client.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_visa", **changes})


def test_a_token_can_be_charged_without_an_intent(sandbox, client):
    made = charge(client, description="A lesson", metadata={"order": "7"}, expand=["balance_transaction"])
    assert (made.status, made.captured, made.payment_intent) == ("succeeded", True, None)
    assert (made.source.object, made.source.last4, made.source.brand) == ("card", "4242", "Visa")
    # Direct charges are not asynchronous: the income is recorded immediately.
    assert (made.balance_transaction.amount, made.balance_transaction.fee) == (2000, 88)
    assert sandbox.event_types() == ["charge.succeeded"]
    sandbox.advance(10)
    assert sandbox.event_types() == ["charge.succeeded"]


def test_a_token_can_be_used_only_once(client):
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2040", "cvc": "123"}
    token = client.v1.tokens.create({"card": card})
    assert charge(client, source=token.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        charge(client, source=token.id)
    assert (refused.value.code, refused.value.param) == ("token_already_used", "source")
    with pytest.raises(stripe.InvalidRequestError, match="No such token: 'tok_none'"):
        charge(client, source="tok_none")


@pytest.mark.parametrize(
    ("token", "code"),
    [("tok_chargeDeclined", "card_declined"), ("tok_threeDSecure2Required", "authentication_required")],
)
def test_a_declined_token_leaves_a_failed_charge(sandbox, client, token, code):
    with pytest.raises(stripe.CardError) as declined:
        charge(client, source=token)
    assert declined.value.code == code
    failed = client.v1.charges.retrieve(declined.value.error.charge)
    assert (failed.status, failed.failure_code) == ("failed", code)
    assert sandbox.event_types() == ["charge.failed"]
    with pytest.raises(stripe.InvalidRequestError, match="was not successful"):
        client.v1.refunds.create({"charge": failed.id})


def test_a_customer_is_charged_by_the_default_method(client):
    customer = client.v1.customers.create({"email": "ada@example.org"})
    parameters = {"amount": 2000, "currency": "usd", "customer": customer.id}
    with pytest.raises(stripe.CardError, match="doesn't have any saved payment details") as refused:
        client.v1.charges.create(parameters)
    assert (refused.value.code, refused.value.param) == ("missing", "card")
    kept = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    with pytest.raises(stripe.CardError, match="does have a Payment Method attached"):
        client.v1.charges.create(parameters)
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": kept.id}})
    made = client.v1.charges.create(parameters)
    assert (made.customer, made.payment_method, made.source.brand) == (customer.id, kept.id, "MasterCard")
    with pytest.raises(stripe.InvalidRequestError, match="Must provide source or customer"):
        client.v1.charges.create({"amount": 2000, "currency": "usd"})


def test_an_authorised_charge_is_captured_in_part(sandbox, client):
    held = charge(client, capture=False)
    assert (held.captured, held.amount_captured, held.balance_transaction) == (False, 0, None)
    assert held.payment_method_details.card.capture_before == held.created + 7 * DAY
    with pytest.raises(stripe.InvalidRequestError, match="cannot be greater"):
        client.v1.charges.capture(held.id, {"amount": 2001})
    taken = client.v1.charges.capture(held.id, {"amount": 1500, "expand": ["balance_transaction"]})
    assert (taken.captured, taken.amount_captured, taken.amount_refunded) == (True, 1500, 500)
    assert taken.balance_transaction.amount == 1500
    assert sandbox.event_types() == ["charge.succeeded", "charge.captured"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.capture(held.id)
    assert refused.value.code == "charge_already_captured"
    sandbox.advance(8 * DAY)
    assert "charge.expired" not in sandbox.event_types()


def test_refunding_an_authorised_charge_releases_it_without_a_balance_transaction(client):
    held = charge(client, capture=False)
    with pytest.raises(stripe.InvalidRequestError, match="only all of it"):
        client.v1.refunds.create({"charge": held.id, "amount": 500})
    refund = client.v1.refunds.create({"charge": held.id})
    assert (refund.status, refund.balance_transaction) == ("succeeded", None)
    assert refund.destination_details.card.type == "reversal"
    assert client.v1.charges.retrieve(held.id).refunded is True
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.charges.capture(held.id)


def test_an_uncaptured_charge_expires_after_seven_days(sandbox, client):
    held = charge(client, capture=False)
    intent = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, "payment_method_types": ["card"],
         "capture_method": "manual"}
    )  # fmt: skip
    sandbox.advance(6 * DAY)
    assert client.v1.charges.retrieve(held.id).refunded is False
    sandbox.advance(2 * DAY)
    assert client.v1.charges.retrieve(held.id).refunded is True
    canceled = client.v1.payment_intents.retrieve(intent.id)
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "automatic")
    assert sandbox.event_types()[-3:] == ["charge.expired", "charge.expired", "payment_intent.canceled"]
    assert client.v1.balance_transactions.list().data == []


def test_the_charge_of_an_intent_cannot_be_captured_or_refunded_by_itself(client):
    intent = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, "payment_method_types": ["card"],
         "capture_method": "manual"}
    )  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError, match="You must capture the PaymentIntent instead"):
        client.v1.charges.capture(intent.latest_charge)
    with pytest.raises(stripe.InvalidRequestError, match="You must cancel the PaymentIntent"):
        client.v1.refunds.create({"charge": intent.latest_charge})


def test_a_charge_can_be_updated(sandbox, client):
    made = charge(client, metadata={"a": "1"})
    customer = client.v1.customers.create({})
    changed = client.v1.charges.update(
        made.id,
        {
            "customer": customer.id,
            "description": "A lesson",
            "fraud_details": {"user_report": "safe"},
            "metadata": {"b": "2"},
            "receipt_email": "ada@example.org",
            "shipping": {"name": "Ada", "address": {"line1": "1 Main St"}},
            "transfer_group": "lesson_7",
        },
    )
    assert (changed.metadata.to_dict(), changed.customer) == ({"a": "1", "b": "2"}, customer.id)
    assert changed.fraud_details.user_report == "safe"
    previous = client.v1.events.list({"type": "charge.updated"}).data[0].data.previous_attributes.to_dict()
    assert (previous["metadata"], previous["description"], previous["customer"]) == ({"b": None}, None, None)
    client.v1.charges.update(made.id, {"description": "A lesson"})
    assert sandbox.event_types().count("charge.updated") == 1
    cleared = client.v1.charges.update(made.id, {"fraud_details": {"user_report": ""}, "description": ""})
    assert (cleared.fraud_details.to_dict(), cleared.description) == ({}, None)
    other = client.v1.customers.create({})
    for change in ({"customer": other.id}, {"transfer_group": "lesson_8"}):
        with pytest.raises(stripe.InvalidRequestError, match="only be set while it has none"):
            client.v1.charges.update(made.id, change)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_none'"):
        client.v1.charges.update(made.id, {"customer": "cus_none"})


def test_charges_are_filtered_and_unknown_parameters_refused(client):
    customer = client.v1.customers.create({})
    first = charge(client, transfer_group="lesson_7")
    second = client.v1.charges.update(charge(client).id, {"customer": customer.id})
    assert [found.id for found in client.v1.charges.list().data] == [second.id, first.id]
    assert [found.id for found in client.v1.charges.list({"transfer_group": "lesson_7"}).data] == [first.id]
    assert [found.id for found in client.v1.charges.list({"customer": customer.id}).data] == [second.id]
    assert client.v1.charges.list({"created": {"lt": first.created}}).data == []
    for parameters, code in (
        ({"colour": "blue"}, "parameter_unknown"),
        ({"application_fee": 5}, "sandbox_not_supported"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            charge(client, **parameters)
        assert refused.value.code == code
    with pytest.raises(stripe.InvalidRequestError, match="at least"):
        charge(client, amount=1)


def test_refunds_are_available_under_their_charge(client, sandbox):
    made, other = charge(client), charge(client)
    answer = sandbox.post(f"/v1/charges/{made.id}/refunds", amount="500").json()
    assert (answer["charge"], answer["amount"]) == (made.id, 500)
    assert sandbox.get(f"/v1/charges/{made.id}/refunds").json()["data"][0]["id"] == answer["id"]
    assert sandbox.get(f"/v1/charges/{made.id}/refunds/{answer['id']}").json()["id"] == answer["id"]
    assert sandbox.get(f"/v1/charges/{other.id}/refunds/{answer['id']}").status_code == 404
