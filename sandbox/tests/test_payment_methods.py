import pytest
import stripe


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"email": "ada@example.org"})


BY_CARD = {"payment_method_types": ["card"]}


def us_account(number="000123456789", routing="110000000"):
    data = {"account_number": number, "routing_number": routing, "account_holder_type": "company"}
    return {"type": "us_bank_account", "billing_details": {"name": "Ada"}, "us_bank_account": data}


def pay(client, method, **changes):
    parameters = {"amount": 2000, "currency": "usd", "payment_method": method, "confirm": True, **BY_CARD, **changes}
    return client.v1.payment_intents.create(parameters)


def test_methods_are_attached_updated_listed_and_detached(sandbox, client, customer):
    card = client.v1.payment_methods.create(
        {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}}
    )
    assert (card.card.checks.cvc_check, card.allow_redisplay) == ("pass", "unspecified")
    client.v1.payment_methods.attach(card.id, {"customer": customer.id})
    changed = client.v1.payment_methods.update(
        card.id, {"billing_details": {"name": "Ada"}, "card": {"exp_month": 11}, "allow_redisplay": "always"}
    )
    assert (changed.billing_details.name, changed.card.exp_month, changed.card.exp_year) == ("Ada", 11, 2034)
    event = client.v1.events.list({"type": "payment_method.updated"}).data[0]
    assert event.data.previous_attributes["allow_redisplay"] == "unspecified"
    assert [pm.id for pm in client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data] == [card.id]
    assert client.v1.payment_methods.list({"customer": customer.id, "type": "sepa_debit"}).data == []
    assert client.v1.customers.payment_methods.list(customer.id, {"allow_redisplay": "limited"}).data == []
    assert client.v1.customers.payment_methods.retrieve(customer.id, card.id).id == card.id
    other = client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError, match="already been attached to a customer"):
        client.v1.payment_methods.attach(card.id, {"customer": other.id})
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        client.v1.customers.payment_methods.retrieve(other.id, card.id)
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    assert client.v1.payment_methods.detach(card.id).customer is None
    assert client.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    assert sandbox.event_types()[-2:] == ["customer.updated", "payment_method.detached"]
    with pytest.raises(stripe.InvalidRequestError, match="detachment is impossible"):
        client.v1.payment_methods.detach(card.id)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("000123456789", None),
        ("000111111113", "account_closed"),
        ("000111111116", "no_account"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"),
    ],
)
def test_us_bank_accounts_have_their_published_results(sandbox, client, number, code):
    method = client.v1.payment_methods.create(us_account(number))
    assert method.us_bank_account.last4 == number[-4:]
    made = pay(client, method.id, payment_method_types=["us_bank_account"])
    assert made.status == "processing"
    assert sandbox.event_types()[-2:] == ["payment_intent.processing", "charge.pending"]
    charge = client.v1.charges.retrieve(made.latest_charge)
    assert charge.payment_method_details.us_bank_account.routing_number == "110000000"
    assert client.v1.mandates.retrieve(charge.payment_method_details.us_bank_account.mandate).type == "single_use"
    sandbox.advance(6)
    after = client.v1.payment_intents.retrieve(made.id)
    if code is None:
        assert (after.status, after.amount_received) == ("succeeded", 2000)
    else:
        assert (after.status, after.last_payment_error.code) == ("requires_payment_method", code)
        assert client.v1.charges.retrieve(made.latest_charge).failure_code == code
        assert sandbox.event_types()[-2:] == ["charge.failed", "payment_intent.payment_failed"]


def test_a_debit_of_the_processing_account_stays_processing(sandbox, client):
    made = pay(client, "pm_usBankAccount_processing", payment_method_types=["us_bank_account"])
    sandbox.advance(3600)
    assert client.v1.payment_intents.retrieve(made.id).status == "processing"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (us_account(routing="123456789"), "routing_number_invalid"),
        (us_account(number="12"), "account_number_invalid"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "AT00"}}, "invalid_bank_account_iban"),
        ({"type": "us_bank_account", "us_bank_account": {"account_number": "000123456789"}}, "parameter_missing"),
        ({"type": "klarna"}, "sandbox_not_supported"),
        ({"type": "card", "card": {"token": "tok_nonsense"}}, "resource_missing"),
    ],
)
def test_invalid_methods_are_refused(sandbox, client, data, code):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create(data)
    assert refused.value.code == code


def test_a_card_token_can_create_only_one_method(sandbox, client):
    token = client.v1.tokens.create(
        {"card": {"number": "4242424242424242", "exp_month": "12", "exp_year": "2034", "cvc": "123", "name": "Ada"}}
    )
    assert (token.card.brand, token.used, token.type) == ("Visa", False, "card")
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    assert (method.card.last4, method.billing_details.name) == ("4242", "Ada")
    assert client.v1.tokens.retrieve(token.id).used is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    assert refused.value.code == "token_already_used"
    assert client.v1.tokens.retrieve("tok_mastercard").card.brand == "MasterCard"


def test_a_bank_account_token_and_invalid_tokens(sandbox, client):
    token = client.v1.tokens.create(
        {"bank_account": {"country": "US", "routing_number": "110000000", "account_number": "000123456789"}}
    )
    assert (token.type, token.bank_account.last4, token.bank_account.currency) == ("bank_account", "6789", "usd")
    with pytest.raises(stripe.CardError, match="card number is incorrect"):
        client.v1.tokens.create({"card": {"number": "4242424242424241", "exp_month": "12", "exp_year": "2034"}})
    with pytest.raises(stripe.InvalidRequestError, match="You must supply either a card"):
        client.v1.tokens.create({})


def test_a_method_of_a_customer_pays_only_for_that_customer(sandbox, client, customer):
    kept = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="include the Customer in the `customer` parameter"):
        pay(client, kept.id)
    other = client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError, match="does not belong to the Customer you supplied"):
        pay(client, kept.id, customer=other.id)


def test_setup_future_usage_attaches_the_method(sandbox, client, customer):
    made = pay(client, "pm_card_visa", customer=customer.id, setup_future_usage="off_session")
    assert client.v1.payment_methods.retrieve(made.payment_method).customer == customer.id
    emitted = sandbox.event_types()
    assert emitted.index("payment_method.attached") < emitted.index("payment_intent.succeeded")
    assert pay(client, made.payment_method, customer=customer.id, off_session=True).status == "succeeded"


def test_a_method_is_attached_only_after_three_d_secure(sandbox, client, customer):
    made = pay(client, "pm_card_threeDSecure2Required", customer=customer.id, setup_future_usage="on_session")
    assert client.v1.payment_methods.retrieve(made.payment_method).customer is None
    sandbox.post(f"/3ds/{made.id}", outcome="pass")
    assert client.v1.payment_methods.retrieve(made.payment_method).customer == customer.id
