import pytest
import stripe


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"email": "ada@example.org"})


def setup(client, **changes):
    return client.v1.setup_intents.create({"payment_method_types": ["card"], **changes})


def test_a_card_is_set_up_and_attached_to_its_customer(sandbox, client, customer):
    before = len(sandbox.event_types())
    made = setup(client, customer=customer.id, payment_method="pm_card_visa", metadata={"for": "later"})
    assert (made.status, made.usage) == ("requires_confirmation", "off_session")
    done = client.v1.setup_intents.confirm(made.id, {"expand": ["payment_method", "latest_attempt"]})
    assert (done.status, done.payment_method.customer) == ("succeeded", customer.id)
    assert done.latest_attempt.status == "succeeded"
    assert sandbox.event_types()[before:] == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    (attempt,) = client.v1.setup_attempts.list({"setup_intent": made.id}).data
    assert attempt.id == done.latest_attempt.id


def test_payment_method_types_are_automatic_unless_given(sandbox, client):
    automatic = client.v1.setup_intents.create()
    assert automatic.automatic_payment_methods.enabled is True
    assert automatic.payment_method_types == ["card", "sepa_debit", "us_bank_account"]
    assert setup(client).automatic_payment_methods is None


def test_a_decline_is_kept_as_the_last_setup_error(sandbox, client, customer):
    with pytest.raises(stripe.CardError) as declined:
        setup(client, customer=customer.id, payment_method="pm_card_visa_chargeDeclined", confirm=True)
    error = declined.value.error
    assert (error.code, error.setup_intent.status) == ("card_declined", "requires_payment_method")
    kept = client.v1.setup_intents.retrieve(error.setup_intent.id)
    assert (kept.last_setup_error.decline_code, kept.payment_method) == ("generic_decline", None)
    assert sandbox.event_types()[-2:] == ["setup_intent.created", "setup_intent.setup_failed"]
    assert client.v1.charges.list().data == []


def test_a_card_that_declines_later_charges_can_be_set_up(sandbox, client, customer):
    assert setup(client, customer=customer.id, payment_method="pm_card_chargeCustomerFail", confirm=True).status == (
        "succeeded"
    )


@pytest.mark.parametrize(
    ("outcome", "status", "last"),
    [("pass", "succeeded", "setup_intent.succeeded"), ("fail", "requires_payment_method", "setup_intent.setup_failed")],
)
def test_three_d_secure_of_a_setup(sandbox, client, customer, outcome, status, last):
    made = setup(
        client,
        customer=customer.id,
        payment_method="pm_card_authenticationRequiredOnSetup",
        confirm=True,
        return_url="http://shop.example/back",
    )
    assert made.status == "requires_action"
    assert sandbox.event_types()[-1] == "setup_intent.requires_action"
    assert "save this card for later payments" in sandbox.get(f"/3ds/{made.id}").text
    answer = sandbox.post(f"/3ds/{made.id}", outcome=outcome)
    assert f"setup_intent={made.id}" in answer.headers["Location"]
    after = client.v1.setup_intents.retrieve(made.id)
    assert after.status == status
    assert sandbox.event_types()[-1] == last
    if outcome == "fail":
        assert after.last_setup_error.code == "setup_intent_authentication_failure"


def test_a_card_that_was_set_up_pays_off_session_without_authentication(sandbox, client, customer):
    made = setup(client, customer=customer.id, payment_method="pm_card_authenticationRequiredOnSetup", confirm=True)
    sandbox.post(f"/3ds/{made.id}", outcome="pass")
    method = client.v1.setup_intents.retrieve(made.id).payment_method
    paid = client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
            "payment_method_types": ["card"],
        }
    )
    assert paid.status == "succeeded"


def test_a_setup_can_be_cancelled_unless_it_has_ended(sandbox, client):
    made = setup(client)
    cancelled = client.v1.setup_intents.cancel(made.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert sandbox.event_types()[-1] == "setup_intent.canceled"
    with pytest.raises(stripe.InvalidRequestError, match="already canceled"):
        client.v1.setup_intents.cancel(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="because it has been canceled"):
        client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    done = setup(client, payment_method="pm_card_visa", confirm=True)
    with pytest.raises(stripe.InvalidRequestError, match="has a status of succeeded") as refused:
        client.v1.setup_intents.cancel(done.id)
    assert (refused.value.code, refused.value.error.setup_intent.id) == ("setup_intent_unexpected_state", done.id)
    with pytest.raises(stripe.InvalidRequestError, match="has already succeeded"):
        client.v1.setup_intents.confirm(done.id)


def test_confirming_needs_a_method_of_the_same_customer(sandbox, client, customer):
    made = setup(client)
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.setup_intents.confirm(made.id)
    kept = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="include the Customer in the `customer` parameter"):
        setup(client, payment_method=kept.id)
    other = client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError, match="does not belong to the Customer you supplied"):
        setup(client, payment_method=kept.id, customer=other.id)


def test_setups_can_be_updated_and_listed(sandbox, client, customer):
    made = setup(client)
    changed = client.v1.setup_intents.update(
        made.id, {"customer": customer.id, "description": "x", "metadata": {"a": "1"}}
    )
    assert (changed.customer, changed.description, changed.metadata["a"]) == (customer.id, "x", "1")
    setup(client)
    assert [one.id for one in client.v1.setup_intents.list({"customer": customer.id}).data] == [made.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such setupintent: 'seti_missing'"):
        client.v1.setup_intents.retrieve("seti_missing")


def account(number, **changes):
    data = {"account_number": number, "routing_number": "110000000", "account_holder_type": "individual"}
    return {"type": "us_bank_account", "billing_details": {"name": "Ada"}, "us_bank_account": data | changes}


def test_setting_up_a_bank_account_creates_a_mandate(sandbox, client, customer):
    done = client.v1.setup_intents.create(
        {
            "payment_method_types": ["us_bank_account"],
            "customer": customer.id,
            "payment_method_data": account("000123456789"),
            "mandate_data": {"customer_acceptance": {"type": "offline", "offline": {}}},
            "confirm": True,
            "expand": ["mandate"],
        }
    )
    assert (done.status, done.mandate.type, done.mandate.status) == ("succeeded", "multi_use", "active")
    mandate = client.v1.mandates.retrieve(done.mandate.id)
    assert mandate.customer_acceptance.type == "offline"
    assert mandate.payment_method == done.payment_method
    with pytest.raises(stripe.InvalidRequestError, match="No such mandate"):
        client.v1.mandates.retrieve("mandate_missing")


def test_microdeposits_verify_an_account_if_requested(sandbox, client, customer):
    made = client.v1.setup_intents.create(
        {
            "payment_method_types": ["us_bank_account"],
            "payment_method_options": {"us_bank_account": {"verification_method": "microdeposits"}},
            "customer": customer.id,
            "payment_method_data": account("000123456789"),
            "confirm": True,
        }
    )
    assert made.next_action.type == "verify_with_microdeposits"
    page = made.next_action.verify_with_microdeposits.hosted_verification_url.removeprefix(sandbox.url)
    assert "SM11AA" in sandbox.get(page).text
    assert sandbox.post(page, descriptorCode="SM00XX").status_code == 422
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.setup_intents.verify_microdeposits(made.id, {"amounts": [1, 2]})
    assert refused.value.code == "payment_method_microdeposit_verification_amounts_mismatch"
    assert client.v1.setup_intents.verify_microdeposits(made.id, {"amounts": [32, 45]}).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="not waiting for them"):
        client.v1.setup_intents.verify_microdeposits(made.id, {"amounts": [32, 45]})
