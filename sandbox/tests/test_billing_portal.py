import re
from html import unescape

import pytest
import stripe

SHOP = "http://shop.example/account"


@pytest.fixture
def prices(client):
    product = client.v1.products.create({"name": "Studio <b>"})

    def price(amount):
        recurring = {"interval": "month"}
        return client.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": amount, "recurring": recurring}
        )

    return [price(2000), price(5000)]


@pytest.fixture
def customer(client, prices):
    made = client.v1.customers.create({"email": "ada@example.org"})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": made.id})
    client.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": card.id}})
    client.v1.subscriptions.create({"customer": made.id, "items": [{"price": prices[0].id}]})
    return made


@pytest.fixture
def configuration(client, prices):
    update = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "products": [{"product": prices[0].product, "prices": [price.id for price in prices]}],
        "proration_behavior": "create_prorations",
    }
    reasons = {"enabled": True, "options": ["too_expensive", "unused"]}
    features = {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "name"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "cancellation_reason": reasons},
        "subscription_update": update,
    }
    return client.v1.billing_portal.configurations.create({"features": features, "metadata": {"shop": "7"}})


def opened(sandbox, customer, **changes):
    parameters = {"customer": customer.id, "return_url": SHOP, **changes}
    session = sandbox.client.v1.billing_portal.sessions.create(parameters)
    return session, session.url.removeprefix(sandbox.url)


def subscription_of(client, customer):
    return client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data[0]


def test_creating_and_updating_a_configuration_emits_events(sandbox, client, configuration):
    assert (configuration.is_default, configuration.active, configuration.metadata["shop"]) == (False, True, "7")
    assert configuration.features.subscription_cancel.mode == "at_period_end"
    changed = client.v1.billing_portal.configurations.update(
        configuration.id,
        {"features": {"invoice_history": {"enabled": False}}, "business_profile": {"headline": "Lectern"}},
    )
    assert changed.features.invoice_history.enabled is False
    assert (
        changed.features.subscription_update.products[0].prices
        == configuration.features.subscription_update.products[0].prices
    )
    assert sandbox.event_types()[-1] == "billing_portal.configuration.updated"
    assert "billing_portal.configuration.created" in sandbox.event_types()
    assert client.v1.billing_portal.configurations.retrieve(configuration.id).business_profile.headline == "Lectern"


def test_subscription_updates_require_products(sandbox, client):
    features = {"subscription_update": {"enabled": True, "default_allowed_updates": ["price"]}}
    with pytest.raises(stripe.InvalidRequestError, match=r"features\[subscription_update\]\[products\]"):
        client.v1.billing_portal.configurations.create({"features": features})


def test_without_a_configuration_the_default_one_is_used(sandbox, client, customer):
    session, _ = opened(sandbox, customer)
    (default,) = client.v1.billing_portal.configurations.list({"is_default": True}).data
    assert session.configuration == default.id
    assert sandbox.event_types()[-1] == "billing_portal.session.created"
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        opened(sandbox, stripe.Customer(id="cus_missing"))


def test_the_portal_shows_subscriptions_cards_and_invoices(sandbox, customer, configuration):
    _, address = opened(sandbox, customer, configuration=configuration.id)
    page = sandbox.get(address)
    text = unescape(page.text)
    assert "Studio <b>, $20.00 per month" in text
    assert "Studio <b>" not in page.text
    assert "Visa ending in 4242" in text
    assert "(default)" in text
    assert re.search(r'href="[^"]*/i/in_', page.text)
    assert f'href="{SHOP}"' in page.text
    assert "<script" not in page.text


def test_a_customer_cancels_at_the_end_of_the_period_and_resumes(sandbox, client, customer, configuration):
    subscription = subscription_of(client, customer)
    _, address = opened(sandbox, customer, configuration=configuration.id)
    assert "Cancel your subscription" in sandbox.get(address, cancel=subscription.id).text
    answer = sandbox.post(address, do="cancel", subscription=subscription.id, feedback="too_expensive", comment="Sorry")
    assert answer.headers["Location"] == f"{address}?done=cancelled"
    cancelled = client.v1.subscriptions.retrieve(subscription.id)
    details = cancelled.cancellation_details
    assert (cancelled.cancel_at_period_end, details.feedback, details.comment) == (True, "too_expensive", "Sorry")
    assert "Ends on" in sandbox.get(address).text
    sandbox.post(address, do="resume", subscription=subscription.id)
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False
    assert sandbox.event_types()[-2:] == ["customer.subscription.updated"] * 2


def test_a_customer_can_change_only_to_an_offered_price(sandbox, client, customer, configuration, prices):
    subscription = subscription_of(client, customer)
    _, address = opened(sandbox, customer, configuration=configuration.id)
    assert "$50.00 per month" in sandbox.get(address, change=subscription.id).text
    sandbox.post(address, do="change", subscription=subscription.id, price="price_elsewhere")
    assert subscription_of(client, customer)["items"].data[0].price.id == prices[0].id
    sandbox.post(address, do="change", subscription=subscription.id, price=prices[1].id)
    assert subscription_of(client, customer)["items"].data[0].price.id == prices[1].id


CARD = {"cardNumber": "5555555555554444", "cardExpiry": "1234", "cardCvc": "123", "billingName": "Ada"}


def test_a_new_card_becomes_the_default_and_the_old_one_can_be_removed(sandbox, client, customer, configuration):
    _, address = opened(sandbox, customer, configuration=configuration.id)
    wrong = sandbox.post(address, do="add-card", **CARD | {"cardNumber": "4242424242424241"})
    assert (wrong.status_code, "Your card number is incorrect." in wrong.text) == (422, True)
    assert sandbox.post(address, do="add-card", **CARD | {"cardNumber": "4000000000000002"}).status_code == 422
    old = client.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    kept = sandbox.post(address, do="remove-card", method=old)
    assert "Choose another default first" in kept.text
    assert sandbox.post(address, do="add-card", **CARD).headers["Location"] == f"{address}?done=card"
    new = client.v1.customers.retrieve(customer.id, {"expand": ["invoice_settings.default_payment_method"]})
    assert new.invoice_settings.default_payment_method.card.brand == "mastercard"
    emitted = sandbox.event_types()[-4:]
    assert emitted == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded", "customer.updated"]
    sandbox.post(address, do="remove-card", method=old)
    assert client.v1.payment_methods.retrieve(old).customer is None


def test_a_card_with_three_d_secure_becomes_the_default_after_authentication(sandbox, client, customer, configuration):
    _, address = opened(sandbox, customer, configuration=configuration.id)
    added = sandbox.post(address, do="add-card", **CARD | {"cardNumber": "4000002500003155"})
    assert added.headers["Location"].startswith("/3ds/seti_")
    back = sandbox.post(added.headers["Location"], outcome="pass")
    assert address in back.headers["Location"]
    settings = client.v1.customers.retrieve(customer.id, {"expand": ["invoice_settings.default_payment_method"]})
    assert settings.invoice_settings.default_payment_method.card.last4 == "3155"


def test_only_allowed_details_can_be_changed(sandbox, client, customer, configuration):
    _, address = opened(sandbox, customer, configuration=configuration.id)
    sandbox.post(address, do="details", email="new@example.org", name="Ada L", phone="123")
    changed = client.v1.customers.retrieve(customer.id)
    assert (changed.email, changed.name, changed.phone) == ("new@example.org", "Ada L", None)
    assert "Invalid email address" in sandbox.post(address, do="details", email="nonsense").text


def test_a_customer_cannot_change_another_customers_objects(sandbox, client, customer, configuration):
    stranger = client.v1.customers.create({"email": "eve@example.org"})
    subscription = subscription_of(client, customer)
    card = client.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    _, address = opened(sandbox, stranger, configuration=configuration.id)
    for form in ({"do": "cancel", "subscription": subscription.id}, {"do": "remove-card", "method": card}):
        assert sandbox.post(address, **form).headers["Location"] == address
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False
    assert client.v1.payment_methods.retrieve(card).customer == customer.id
    assert sandbox.get("/p/session/test_nonsense").status_code == 404


def test_a_flow_redirects_after_its_action(sandbox, client, customer, configuration):
    subscription = subscription_of(client, customer)
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.id},
        "after_completion": {"type": "redirect", "redirect": {"return_url": SHOP + "/gone"}},
    }
    session, address = opened(sandbox, customer, configuration=configuration.id, flow_data=flow)
    assert session.flow.subscription_cancel.subscription == subscription.id
    assert "Cancel your subscription" in sandbox.get(address).text
    answer = sandbox.post(address, do="cancel", subscription=subscription.id)
    assert answer.headers["Location"] == SHOP + "/gone"
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        opened(sandbox, client.v1.customers.create(), configuration=configuration.id, flow_data=flow)


def test_a_flow_of_a_disabled_feature_is_refused(sandbox, client, customer):
    off = client.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    subscription = subscription_of(client, customer)
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription.id}}
    message = "cannot be canceled because the subscription cancel feature in the portal configuration is disabled"
    with pytest.raises(stripe.InvalidRequestError, match=message):
        opened(sandbox, customer, configuration=off.id, flow_data=flow)


def test_a_redirecting_flow_requires_a_return_url(sandbox, customer):
    flow = {"type": "payment_method_update", "after_completion": {"type": "redirect"}}
    with pytest.raises(stripe.InvalidRequestError, match="redirect"):
        opened(sandbox, customer, flow_data=flow)


def test_a_session_expires_after_an_hour(sandbox, customer):
    _, address = opened(sandbox, customer)
    sandbox.advance(3700)
    page = sandbox.get(address)
    assert (page.status_code, "This link has expired" in page.text) == (410, True)
