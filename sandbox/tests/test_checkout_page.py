import time

import pytest
import stripe

from sandbox.tests.pages import CARD, error_at, post_page


def setup_session(sandbox, **changes):
    parameters = {
        "mode": "setup",
        "payment_method_types": ["card"],
        "success_url": "http://shop.example/done",
        **changes,
    }
    return sandbox.client.v1.checkout.sessions.create(parameters)


def test_setup_mode_saves_a_card_without_charging_it(sandbox, client):
    customer = client.v1.customers.create({"email": "ada@example.org"})
    session = setup_session(sandbox, customer=customer.id, setup_intent_data={"metadata": {"order": "7"}})
    assert (session.payment_status, session.amount_total, session.payment_intent) == ("no_payment_required", None, None)
    assert client.v1.setup_intents.retrieve(session.setup_intent).metadata["order"] == "7"
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Checkout Session"):
        client.v1.setup_intents.confirm(session.setup_intent, {"payment_method": "pm_card_visa"})
    assert "Nothing is charged now" in sandbox.get(f"/c/pay/{session.id}").text
    before = len(sandbox.event_types())
    assert post_page(sandbox, session).status_code == 303
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
    assert done.setup_intent.payment_method.customer == customer.id
    assert sandbox.event_types()[before:] == [
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]


def test_setup_mode_with_a_decline_and_three_d_secure(sandbox, client):
    session = setup_session(sandbox)
    page = post_page(sandbox, session, cardNumber="4000000000000002")
    assert (page.status_code, error_at(page, "cardNumber")) == (422, "Your card was declined.")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    submitted = post_page(sandbox, session, cardNumber="4000002760003184")
    assert sandbox.post(submitted.headers["Location"], outcome="fail").headers["Location"].endswith("?failed=1")
    submitted = post_page(sandbox, session, cardNumber="4000002760003184")
    assert sandbox.post(submitted.headers["Location"], outcome="pass").headers["Location"] == "http://shop.example/done"


def test_expiring_a_setup_session_cancels_its_intent(sandbox, client):
    session = setup_session(sandbox)
    client.v1.checkout.sessions.expire(session.id)
    assert client.v1.setup_intents.retrieve(session.setup_intent).status == "canceled"
    assert sandbox.event_types()[-2:] == ["setup_intent.canceled", "checkout.session.expired"]


def test_payment_pages_confirm_a_setup(sandbox, client):
    session = setup_session(sandbox)
    assert sandbox.post(f"/v1/payment_pages/{session.id}/confirm").status_code == 400
    assert sandbox.pay(session).status_code == 200
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_saved_card_is_shown_and_can_pay(sandbox, client):
    customer = client.v1.customers.create({"email": "ada@example.org"})
    method = client.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_mastercard"}, "allow_redisplay": "always"}
    )
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    hidden = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    session = sandbox.session(customer=customer.id)
    page = sandbox.get(f"/c/pay/{session.id}").text
    assert "Mastercard ending in 4444" in page
    assert hidden.id not in page
    answer = sandbox.post(f"/c/pay/{session.id}", method=method.id, email="ada@example.org")
    assert answer.status_code == 303, answer.text
    assert sandbox.intent_of(session).payment_method == method.id
    again = sandbox.session(customer=customer.id)
    stranger = sandbox.post(f"/c/pay/{again.id}", method=hidden.id, email="ada@example.org")
    assert error_at(stranger, "method") == "Choose how to pay."


def test_the_buyer_saves_and_removes_a_card(sandbox, client):
    customer = client.v1.customers.create({"email": "ada@example.org"})
    options = {"payment_method_save": "enabled", "payment_method_remove": "enabled"}
    session = sandbox.session(customer=customer.id, saved_payment_method_options=options)
    assert post_page(sandbox, session, savePaymentMethod=1).status_code == 303
    (saved,) = client.v1.customers.payment_methods.list(customer.id).data
    assert (saved.allow_redisplay, sandbox.intent_of(session).setup_future_usage) == ("always", "on_session")
    again = sandbox.session(customer=customer.id, saved_payment_method_options=options)
    page = sandbox.post(f"/c/pay/{again.id}", do=f"remove-method:{saved.id}")
    assert page.status_code == 200
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_without_the_checkbox_no_card_is_saved(sandbox, client):
    customer = client.v1.customers.create({"email": "ada@example.org"})
    session = sandbox.session(customer=customer.id, saved_payment_method_options={"payment_method_save": "enabled"})
    post_page(sandbox, session)
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_setup_future_usage_attaches_the_card_to_the_new_customer(sandbox, client):
    session = sandbox.session(customer_creation="always", payment_intent_data={"setup_future_usage": "off_session"})
    sandbox.pay(session)
    customer = client.v1.checkout.sessions.retrieve(session.id).customer
    (kept,) = client.v1.customers.payment_methods.list(customer).data
    assert kept.allow_redisplay == "limited"


CUSTOM_FIELDS = [
    {"key": "engraving", "label": {"type": "custom", "custom": "Engraving"}, "type": "text", "text": {"maximum_length": 5}},
    {"key": "size", "label": {"type": "custom", "custom": "Size"}, "type": "dropdown",
     "dropdown": {"options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]}},
    {"key": "member", "label": {"type": "custom", "custom": "Member"}, "type": "numeric", "optional": True},
]  # fmt: skip


def test_custom_fields_are_validated_and_stored(sandbox, client):
    session = sandbox.session(custom_fields=CUSTOM_FIELDS)
    page = post_page(sandbox, session, **{"customField-engraving": "far too long", "customField-member": "abc"})
    assert error_at(page, "customField-engraving") == "Use between 0 and 5 characters."
    assert error_at(page, "customField-size") == "Required"
    assert error_at(page, "customField-member") == "Use digits only."
    post_page(sandbox, session, **{"customField-engraving": "<b>", "customField-size": "l"})
    fields = {field.key: field for field in client.v1.checkout.sessions.retrieve(session.id).custom_fields}
    assert (fields["engraving"].text.value, fields["size"].dropdown.value) == ("<b>", "l")
    assert fields["member"].numeric.value is None


def test_phone_address_and_terms_are_required(sandbox, client):
    session = sandbox.session(
        phone_number_collection={"enabled": True},
        billing_address_collection="required",
        consent_collection={"terms_of_service": "required"},
        custom_text={"submit": {"message": "We <3 clay"}, "terms_of_service_acceptance": {"message": "Our terms"}},
    )
    page = post_page(sandbox, session)
    for field in ("phoneNumber", "billingAddressLine1", "billingLocality", "billingPostalCode"):
        assert error_at(page, field) == "Required"
    assert error_at(page, "termsOfServiceConsent") == "Please accept the terms to continue."
    assert "We &lt;3 clay" in page.text
    assert "Our terms" in page.text
    answer = post_page(
        sandbox,
        session,
        phoneNumber="+441234",
        billingAddressLine1="1 Long Lane",
        billingLocality="London",
        billingPostalCode="N1",
        termsOfServiceConsent=1,
    )
    assert answer.status_code == 303
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.customer_details.phone, done.customer_details.address.line1) == ("+441234", "1 Long Lane")
    assert done.consent.terms_of_service == "accepted"
    charge = client.v1.charges.retrieve(sandbox.intent_of(session).latest_charge)
    assert charge.billing_details.address.city == "London"


def test_customer_update_stores_the_entered_details(sandbox, client):
    customer = client.v1.customers.create({"email": "ada@example.org", "name": "A"})
    session = sandbox.session(customer=customer.id, customer_update={"name": "auto", "address": "auto"})
    post_page(sandbox, session)
    changed = client.v1.customers.retrieve(customer.id)
    assert (changed.name, changed.address.country) == ("Ada L", "GB")
    untouched = client.v1.customers.create({"email": "ada@example.org", "name": "A"})
    post_page(sandbox, sandbox.session(customer=untouched.id))
    assert client.v1.customers.retrieve(untouched.id).name == "A"


@pytest.mark.parametrize(
    ("submit_type", "words"), [("book", "Book $20.00"), ("donate", "Donate $20.00"), ("pay", "Pay $20.00")]
)
def test_the_submit_type_sets_the_buttons_label(sandbox, submit_type, words):
    assert words in sandbox.get(f"/c/pay/{sandbox.session(submit_type=submit_type).id}").text


def test_a_us_bank_account_pays_on_the_page(sandbox, client):
    session = sandbox.session(payment_method_types=["card", "us_bank_account"])
    form = {"method": "us_bank_account", "routingNumber": "123", "accountNumber": "000123456789"}
    page = post_page(sandbox, session, **form)
    assert "9 digits" in error_at(page, "routingNumber")
    assert post_page(sandbox, session, **form | {"routingNumber": "110000000"}).status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    sandbox.advance(6)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert sandbox.event_types()[-1] in ("checkout.session.async_payment_succeeded", "charge.updated")


def test_an_expired_session_can_be_recovered(sandbox, client):
    session = sandbox.session(
        expires_at=int(time.time()) + 1800,
        after_expiration={"recovery": {"enabled": True, "allow_promotion_codes": True}},
    )
    sandbox.pay(session, "pm_card_visa_chargeDeclined")
    sandbox.advance(1900)
    expired = client.v1.checkout.sessions.retrieve(session.id)
    recovery = expired.after_expiration.recovery
    assert recovery.url.endswith(f"/c/recover/{session.id}")
    assert f'href="{recovery.url}"' in sandbox.get(f"/c/pay/{session.id}").text
    answer = sandbox.get(recovery.url.removeprefix(sandbox.url))
    again = client.v1.checkout.sessions.retrieve(answer.headers["Location"].removeprefix("/c/pay/"))
    assert (again.recovered_from, again.status, again.allow_promotion_codes) == (session.id, "open", True)
    assert (again.payment_intent, again.amount_total) == (None, 2000)
    assert sandbox.pay(again).status_code == 200
    sandbox.advance(31 * 24 * 3600)
    assert "has expired" in sandbox.get(recovery.url.removeprefix(sandbox.url)).text


def test_an_authorised_session_is_paid_by_the_capture(sandbox, client):
    session = sandbox.session(payment_intent_data={"capture_method": "manual"})
    sandbox.pay(session)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    client.v1.payment_intents.capture(sandbox.intent_of(session).id)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert "checkout.session.async_payment_succeeded" not in sandbox.event_types()


def test_sessions_are_filtered_by_their_fields(sandbox, client):
    first, second = sandbox.session(), sandbox.session()
    sandbox.post(f"/c/pay/{second.id}", **CARD)

    def found(**filters):
        return [one.id for one in client.v1.checkout.sessions.list(filters).data]

    assert found() == [second.id, first.id]
    assert found(status="open") == [first.id]
    assert found(customer_details={"email": "ada@example.org"}) == [second.id]
    assert found(payment_intent=sandbox.intent_of(second).id) == [second.id]
    assert client.v1.checkout.sessions.update(first.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ui_mode": "embedded_page"}, "does not act on 'ui_mode'"),
        ({"mode": "setup"}, "You can not pass `line_items` in `setup` mode"),
        ({"subscription_data": {"description": "x"}}, "can not pass `subscription_data` in `payment` mode"),
        (
            {"shipping_address_collection": {"allowed_countries": ["GB"]}},
            "does not act on 'shipping_address_collection'",
        ),
        ({"payment_method_types": ["sepa_debit"]}, "currency provided .usd. is invalid"),
        ({"customer": "cus_missing"}, "No such customer: 'cus_missing'"),
        ({"custom_fields": [CUSTOM_FIELDS[0]] * 2}, "must be unique"),
        ({"customer_update": {"name": "auto"}}, "can only be used with `customer`"),
        ({"discounts": [{"coupon": "NONE"}]}, "No such coupon: 'NONE'"),
        ({"line_items": []}, "line_items"),
        ({"colour": "red"}, "Received unknown parameter: colour"),
        ({"success_url": ""}, "success_url"),
    ],
)
def test_invalid_combinations_of_parameters_are_refused(sandbox, changes, message):
    with pytest.raises(stripe.InvalidRequestError, match=message):
        sandbox.session(**changes)


@pytest.mark.parametrize(
    ("field", "typed"),
    [("cardExpiry", "²²/²²"), ("cardCvc", "12³"), ("cardNumber", "four two"), ("billingCountry", "ZZ")],
)
def test_invalid_input_shows_an_error_beside_its_field(sandbox, field, typed):
    page = post_page(sandbox, sandbox.session(), **{field: typed})
    assert page.status_code == 422
    assert error_at(page, field)


def test_a_customer_deleted_before_the_payment_is_replaced(sandbox, client):
    product = client.v1.products.create({"name": "Studio"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"}}
    )
    customer = client.v1.customers.create({"email": "ada@example.org"})
    parameters = {"mode": "subscription", "customer": customer.id, "success_url": "http://shop.example/done"}
    session = client.v1.checkout.sessions.create(parameters | {"line_items": [{"price": price.id, "quantity": 1}]})
    client.v1.customers.delete(customer.id)
    assert sandbox.get(f"/c/pay/{session.id}").status_code == 200
    assert sandbox.pay(session).status_code == 200
    assert client.v1.checkout.sessions.retrieve(session.id).customer != customer.id


def test_a_used_up_method_is_refused(sandbox, client):
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert sandbox.pay(sandbox.session(), method.id).status_code == 200
    refused = sandbox.pay(sandbox.session(), method.id)
    assert refused.status_code == 400
    assert "was previously used" in refused.json()["error"]["message"]


def test_totals_beyond_eight_digits_are_refused(sandbox):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.session(amount=100_000_000)
    assert refused.value.code == "amount_too_large"
