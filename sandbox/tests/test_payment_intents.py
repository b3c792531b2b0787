import pytest
import stripe


def intent(client, **changes):
    by_card = {"payment_method_types": ["card"]}
    return client.v1.payment_intents.create({"amount": 2000, "currency": "usd", **by_card, **changes})


def test_an_intent_succeeds_and_refuses_further_steps(sandbox, client):
    made = intent(client, metadata={"order": "7"})
    assert (made.status, made.amount_received) == ("requires_payment_method", 0)
    confirmed = client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert (confirmed.status, confirmed.amount_received) == ("succeeded", 2000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.error.payment_intent.id == made.id
    with pytest.raises(stripe.InvalidRequestError, match="cannot cancel this PaymentIntent"):
        client.v1.payment_intents.cancel(made.id)


def test_a_partial_manual_capture_releases_the_rest(sandbox, client):
    made = intent(client, capture_method="manual", payment_method="pm_card_visa", confirm=True)
    assert (made.status, made.amount_capturable) == ("requires_capture", 2000)
    captured = client.v1.payment_intents.capture(made.id, {"amount_to_capture": 1500})
    assert (captured.status, captured.amount_received) == ("succeeded", 1500)
    charge = client.v1.charges.retrieve(made.latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.amount_captured, charge.amount_refunded, charge.balance_transaction.amount) == (1500, 500, 1500)
    with pytest.raises(stripe.InvalidRequestError, match="could not be captured"):
        client.v1.payment_intents.capture(made.id)


def test_cancelling_releases_an_authorisation(sandbox, client):
    made = intent(client, capture_method="manual", payment_method="pm_card_visa", confirm=True)
    cancelled = client.v1.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert client.v1.charges.retrieve(made.latest_charge).refunded is True


def test_a_card_that_needs_authentication_is_declined_off_session(sandbox, client):
    with pytest.raises(stripe.CardError) as declined:
        intent(client, payment_method="pm_card_authenticationRequired", confirm=True, off_session=True)
    assert declined.value.code == "authentication_required"
    assert declined.value.error.payment_intent.status == "requires_payment_method"


def test_authentication_redirects_to_the_return_url(sandbox, client):
    made = intent(
        client, payment_method="pm_card_threeDSecure2Required", confirm=True, return_url="http://shop.example/back?x=1"
    )
    assert made.next_action.redirect_to_url.url.endswith(f"/3ds/{made.id}")
    answer = sandbox.post(f"/3ds/{made.id}", outcome="pass")
    expected = f"http://shop.example/back?x=1&payment_intent={made.id}"
    assert answer.headers["Location"].startswith(expected)
    assert answer.headers["Location"].endswith("redirect_status=succeeded")


@pytest.mark.parametrize(
    ("alias", "code", "decline_code"),
    [
        ("visa_chargeDeclined", "card_declined", "generic_decline"),
        ("visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
        ("radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_every_declined_card_has_its_codes(sandbox, client, alias, code, decline_code):
    with pytest.raises(stripe.CardError) as declined:
        intent(client, payment_method=f"pm_card_{alias}", confirm=True)
    error = declined.value.error
    assert (error.code, error.decline_code, error.type) == (code, decline_code, "card_error")
    charge = client.v1.charges.retrieve(error.charge)
    assert (charge.status, charge.failure_code, charge.balance_transaction) == ("failed", code, None)
    assert charge.outcome.type == ("blocked" if alias == "radarBlock" else "issuer_declined")


def test_saved_cards_can_be_listed_and_charged_again_but_unsaved_ones_only_once(sandbox, client):
    customer = client.v1.customers.create({"email": "a@example.org"})
    kept = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    for _ in range(2):
        assert intent(client, customer=customer.id, payment_method=kept.id, confirm=True).status == "succeeded"
    assert [pm.id for pm in client.v1.customers.payment_methods.list(customer.id).data] == [kept.id]
    loose = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    intent(client, payment_method=loose.id, confirm=True)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        intent(client, payment_method=loose.id, confirm=True)
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})


def test_pending_funds_become_available_with_the_clock(sandbox, client):
    intent(client, payment_method="pm_card_visa", confirm=True)
    intent(client, payment_method="pm_card_bypassPending", confirm=True)
    sandbox.advance(3)
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (1912, 1912)
    sandbox.advance(3 * 24 * 3600)
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (3824, 0)
    assert sandbox.event_types()[-1] == "balance.available"


@pytest.mark.parametrize("kind", ["payment_intents", "setup_intents"])
def test_methods_that_may_redirect_require_a_return_url(sandbox, kind):
    money = {"amount": "2000", "currency": "usd"} if kind == "payment_intents" else {}
    now = {"payment_method": "pm_card_visa", "confirm": "true"}
    never = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
    refused = [sandbox.post(f"/v1/{kind}", **money, **now)]
    made = sandbox.post(f"/v1/{kind}", **money, payment_method="pm_card_visa").json()["id"]
    refused.append(sandbox.post(f"/v1/{kind}/{made}/confirm"))
    for answer in refused:
        assert answer.status_code == 400
        assert "you must provide a `return_url`" in answer.json()["error"]["message"]
    taken = [
        sandbox.post(f"/v1/{kind}/{made}/confirm", return_url="http://shop.example/back"),
        sandbox.post(f"/v1/{kind}", **money, **now, return_url="http://shop.example/back"),
        sandbox.post(f"/v1/{kind}", **money, **now, **never),
        sandbox.post(f"/v1/{kind}", **money, **now, **{"payment_method_types[]": "card"}),
    ]
    assert [answer.json()["status"] for answer in taken] == ["succeeded"] * 4


@pytest.mark.parametrize(
    "given",
    [{"off_session": "true"}, {"error_on_requires_action": "true"}, {"return_url": "http://shop.example"},
     {"mandate_data[customer_acceptance][type]": "offline"}],
)  # fmt: skip
def test_parameters_of_a_confirmation_require_confirm(sandbox, given):
    answer = sandbox.post("/v1/payment_intents", amount="2000", currency="usd", **given)
    name = next(iter(given)).split("[")[0]
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, name)
    assert (
        f"`{name}` cannot be passed when creating a PaymentIntent unless `confirm` is set to true" in error["message"]
    )
