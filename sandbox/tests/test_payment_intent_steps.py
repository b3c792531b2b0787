import pytest
import stripe


def intent(client, **changes):
    return client.v1.payment_intents.create({"amount": 2000, "currency": "usd", **changes})


def by_card(client, **changes):
    return intent(client, payment_method_types=["card"], **changes)


def refusal(function, *arguments):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        function(*arguments)
    return refused.value


def test_payment_method_types_are_automatic_unless_given(sandbox, client):
    automatic = intent(client)
    assert (automatic.automatic_payment_methods.enabled, automatic.automatic_payment_methods.allow_redirects) == (
        True,
        "always",
    )
    assert automatic.payment_method_types == ["card", "us_bank_account"]
    assert intent(client, currency="eur").payment_method_types == ["card", "sepa_debit"]
    named = intent(client, payment_method_types=["card"])
    assert (named.automatic_payment_methods, named.payment_method_types) == (None, ["card"])
    assert intent(client, automatic_payment_methods={"enabled": False}).automatic_payment_methods is None


def test_payment_method_options_are_stored_and_applied(sandbox, client):
    made = intent(
        client, payment_method_options={"card": {"request_three_d_secure": "any"}}, payment_method_types=["card"]
    )
    assert made.payment_method_options.card.request_three_d_secure == "any"
    assert made.payment_method_options.card.installments is None
    challenged = client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_threeDSecureOptional"})
    assert challenged.status == "requires_action"
    relaxed = by_card(client, payment_method="pm_card_threeDSecureOptional", confirm=True)
    assert relaxed.status == "succeeded"


def test_a_card_already_set_up_needs_authentication_only_on_session(sandbox, client):
    alias = "pm_card_authenticationRequiredSetupForOffSession"
    assert by_card(client, payment_method=alias, confirm=True, off_session=True).status == "succeeded"
    assert by_card(client, payment_method=alias, confirm=True).status == "requires_action"


def test_error_on_requires_action_declines_instead(sandbox, client):
    with pytest.raises(stripe.CardError) as declined:
        by_card(client, payment_method="pm_card_authenticationRequired", confirm=True, error_on_requires_action=True)
    assert declined.value.code == "authentication_required"
    assert "payment_intent.requires_action" not in sandbox.event_types()


def test_an_open_intent_can_be_updated_but_a_succeeded_one_cannot(sandbox, client):
    made = by_card(client)
    changed = client.v1.payment_intents.update(
        made.id, {"amount": 2500, "description": "Clay", "metadata": {"a": "1"}, "payment_method": "pm_card_visa"}
    )
    assert (changed.amount, changed.description, changed.status) == (2500, "Clay", "requires_confirmation")
    assert client.v1.payment_intents.confirm(made.id).amount_received == 2500
    refused = refusal(client.v1.payment_intents.update, made.id, {"amount": 100})
    assert "amount could not be updated because it has a status of succeeded" in str(refused)
    assert refused.code == "payment_intent_unexpected_state"
    assert client.v1.payment_intents.update(made.id, {"metadata": {"b": "2"}}).metadata["b"] == "2"


def test_an_intents_customer_cannot_be_changed(sandbox, client):
    ada, bob = (client.v1.customers.create() for _ in range(2))
    made = intent(client, customer=ada.id)
    refused = refusal(client.v1.payment_intents.update, made.id, {"customer": bob.id})
    assert "You cannot modify `customer` on a PaymentIntent" in str(refused)
    assert client.v1.payment_intents.update(made.id, {"customer": ada.id}).customer == ada.id


def test_confirming_without_a_payment_method_is_refused(sandbox, client):
    loose = refusal(client.v1.payment_intents.confirm, intent(client).id)
    assert "missing a payment method. You can either update" in str(loose)
    customer = client.v1.customers.create()
    owned = refusal(client.v1.payment_intents.confirm, intent(client, customer=customer.id).id)
    assert f"To confirm the PaymentIntent with {customer.id}, specify a payment method" in str(owned)


def test_a_cancelled_intent_refuses_further_steps(sandbox, client):
    made = intent(client)
    client.v1.payment_intents.cancel(made.id)
    assert "because it has been canceled" in str(
        refusal(client.v1.payment_intents.confirm, made.id, {"payment_method": "pm_card_visa"})
    )
    assert "has a status of canceled" in str(refusal(client.v1.payment_intents.cancel, made.id))
    assert "could not be captured because it has a status of canceled" in str(
        refusal(client.v1.payment_intents.capture, made.id)
    )


def test_manual_confirmation_is_required_again_after_three_d_secure(sandbox, client):
    made = by_card(
        client,
        payment_method="pm_card_threeDSecure2Required",
        confirm=True,
        confirmation_method="manual",
        return_url="http://shop.example/back",
    )
    sandbox.post(f"/3ds/{made.id}", outcome="pass")
    assert client.v1.payment_intents.retrieve(made.id).status == "requires_confirmation"
    assert client.v1.payment_intents.confirm(made.id).status == "succeeded"


def test_stripe_js_gets_its_own_next_action(sandbox, client):
    made = intent(
        client,
        payment_method="pm_card_threeDSecure2Required",
        confirm=True,
        use_stripe_sdk=True,
        return_url="http://shop.example/back",
    )
    assert made.next_action.type == "use_stripe_sdk"


def test_a_missing_destination_account_is_refused(sandbox, client):
    refused = refusal(lambda: intent(client, transfer_data={"destination": "acct_missing"}))
    assert (refused.code, refused.param) == ("resource_missing", "transfer_data[destination]")


def test_incremental_authorisations_are_refused(sandbox, client):
    made = by_card(client, capture_method="manual", payment_method="pm_card_visa", confirm=True)
    refused = refusal(client.v1.payment_intents.increment_authorization, made.id, {"amount": 3000})
    assert "not eligible" in str(refused)


def test_a_wrong_client_secret_is_refused(sandbox, client):
    made = intent(client)
    assert client.v1.payment_intents.retrieve(made.id, {"client_secret": made.client_secret}).id == made.id
    refused = refusal(client.v1.payment_intents.retrieve, made.id, {"client_secret": "pi_x_secret_y"})
    assert refused.param == "client_secret"


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": 10}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"currency": "xyz"}, None, "currency"),
        ({"customer": "cus_missing"}, "resource_missing", "customer"),
        ({"payment_method": "pm_missing"}, "resource_missing", "payment_method"),
        ({"payment_method_types": ["sepa_debit"]}, None, "payment_method_types"),
        ({"payment_method_types": ["klarna"]}, "sandbox_not_supported", "payment_method_types[0]"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"radar_options": {"session": "x"}}, "sandbox_not_supported", "radar_options"),
    ],
)
def test_invalid_parameters_are_refused(sandbox, client, changes, code, param):
    refused = refusal(lambda: intent(client, **changes))
    assert (refused.code, refused.param) == (code, param)


def test_intents_are_listed_by_customer(sandbox, client):
    customer = client.v1.customers.create()
    made = intent(client, customer=customer.id)
    intent(client)
    assert [one.id for one in client.v1.payment_intents.list({"customer": customer.id}).data] == [made.id]
