"""Fields that Stripe sends according to recorded traffic (clover and dahlia versions), including null fields."""

import pytest

from sandbox.tests.billing_fixtures import Shop, previous
from sandbox.tests.connected import charge, enabled

BY_CARD = {"payment_method_types": ["card"], "payment_method": "pm_card_visa", "confirm": True}
NULLS = {"carrier": None, "phone": None, "tracking_number": None}
SHIPPING = {"name": "Ada", "address": {"line1": "1 High St", "country": "GB"}}


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


def test_a_charge_has_dispute_order_and_destination(sandbox, client):
    paid = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", **BY_CARD, "payment_method": "pm_card_createDispute"}
    )
    path = f"/v1/charges/{paid.latest_charge}"
    fresh = sandbox.get(path).json()
    assert [fresh[name] for name in ("dispute", "order", "destination")] == [None] * 3
    sandbox.advance(10)
    dispute = client.v1.disputes.list().data[0]
    assert sandbox.get(path).json()["dispute"] == dispute.id
    assert sandbox.get(path, **{"expand[]": "dispute"}).json()["dispute"]["id"] == dispute.id
    event = sandbox.get("/v1/events", type="charge.updated").json()["data"][0]
    assert event["data"]["previous_attributes"] == {"dispute": None, "disputed": False}


def test_a_destination_charge_has_its_destination(sandbox, client):
    teacher = enabled(sandbox, client)
    made = charge(client, 2000, transfer_data={"destination": teacher.id})
    assert sandbox.get(f"/v1/charges/{made.latest_charge}").json()["destination"] == teacher.id


def test_customers_and_intents_have_fields_of_unused_features(sandbox, client):
    customer = client.v1.customers.create()
    assert sandbox.get(f"/v1/customers/{customer.id}").json()["customer_account"] is None
    made = sandbox.post("/v1/payment_intents", amount="2000", currency="usd").json()
    assert made["managed_payments"] == {"enabled": False}


def test_shipping_has_all_its_fields(sandbox, client):
    address = {"city": None, "country": "GB", "line1": "1 High St", "line2": None, "postal_code": None, "state": None}
    whole = {"name": "Ada", "address": address, **NULLS}
    parameters = {"amount": 2000, "currency": "usd", "shipping": SHIPPING}
    made = client.v1.payment_intents.create(parameters | BY_CARD)
    assert made.to_dict()["shipping"] == whole
    assert client.v1.charges.retrieve(made.latest_charge).to_dict()["shipping"] == whole
    direct = client.v1.charges.create(parameters | {"source": "tok_visa"})
    assert direct.to_dict()["shipping"] == whole
    moved = client.v1.charges.update(direct.id, {"shipping": SHIPPING | {"carrier": "UPS"}})
    assert moved.to_dict()["shipping"] == whole | {"carrier": "UPS"}
    later = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
    changed = client.v1.payment_intents.update(later.id, {"shipping": SHIPPING | {"phone": "123"}})
    assert changed.to_dict()["shipping"] == whole | {"phone": "123"}
    by_card = {"payment_method": "pm_card_visa", "return_url": "http://shop.example", "shipping": SHIPPING}
    assert client.v1.payment_intents.confirm(later.id, by_card).to_dict()["shipping"] == whole


def test_a_subscription_of_one_item_shows_its_plan_and_quantity(sandbox, shop):
    price, dearer = shop.price(), shop.price(3000)
    made = shop.subscribe(shop.customer(), price, items=[{"price": price.id, "quantity": 2}])
    shown = sandbox.get(f"/v1/subscriptions/{made.id}").json()
    assert (shown["plan"]["id"], shown["plan"]["object"], shown["quantity"]) == (price.id, "plan", 2)
    item = made["items"].data[0].id
    shop.v1.subscriptions.update(made.id, {"items": [{"id": item, "price": dearer.id, "quantity": 3}]})
    before = previous(shop.last("customer.subscription.updated"))
    assert (before["quantity"], before["plan"]["id"], before["plan"]["amount"]) == (2, price.id, 2000)
    two = shop.v1.subscriptions.update(made.id, {"items": [{"price": shop.price(500).id}]})
    shown = sandbox.get(f"/v1/subscriptions/{two.id}").json()
    assert (shown["plan"], shown["quantity"]) == (None, None)


@pytest.mark.parametrize(
    ("mode", "collection", "discounts"),
    [("payment", "if_required", []), ("setup", "always", None), ("subscription", "always", [])],
)
def test_a_session_has_its_collection_fields(sandbox, shop, mode, collection, discounts):
    lines = {"payment": [{"price_data": {"currency": "usd", "unit_amount": 900, "product": shop.product.id},
                          "quantity": 1}],
             "subscription": [{"price": shop.price().id, "quantity": 1}], "setup": []}  # fmt: skip
    parameters = {"mode": mode, "success_url": "http://shop.example", "currency": "usd", "line_items": lines[mode]}
    customer = shop.v1.customers.create({"email": "ada@example.org"})
    session = shop.v1.checkout.sessions.create(parameters | {"customer": customer.id})
    shown = session.to_dict()
    assert (shown["payment_method_collection"], shown["discounts"]) == (collection, discounts)
    assert shown["customer_details"]["tax_exempt"] == (None if mode == "setup" else "none")


def test_payment_method_collection_is_only_for_subscriptions(sandbox):
    price = {"line_items[0][price_data][unit_amount]": "900", "line_items[0][price_data][currency]": "usd",
             "line_items[0][price_data][product_data][name]": "Clay", "line_items[0][quantity]": "1"}  # fmt: skip
    answer = sandbox.post(
        "/v1/checkout/sessions", mode="payment", success_url="http://shop.example",
        payment_method_collection="if_required", **price,
    )  # fmt: skip
    assert answer.json()["error"]["param"] == "payment_method_collection"


@pytest.mark.parametrize("kind", ["payment_intents", "setup_intents"])
def test_automatic_methods_have_their_configuration(sandbox, kind):
    money = {"amount": "2000", "currency": "usd"} if kind == "payment_intents" else {}
    automatic = sandbox.post(f"/v1/{kind}", **money).json()
    details = automatic["payment_method_configuration_details"]
    assert (details["id"][:5], details["parent"]) == ("pmc_1", None)
    named = sandbox.post(f"/v1/{kind}", **money, **{"payment_method_types[]": "card"}).json()
    assert named["payment_method_configuration_details"] is None
