"""Fields that an empty string clears (docs: "Update a subscription" and similar pages)."""

import pytest

from sandbox.tests.billing_fixtures import Shop

ADDRESS = {"line1": "1 High St", "line2": "", "city": "", "postal_code": "N1", "country": "GB"}


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


@pytest.fixture
def customer(shop):
    return shop.customer()


def emptied(sandbox, path, field):
    answer = sandbox.post(f"/v1/{path}", **{field: ""})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_subscriptions_default_method_is_cleared(sandbox, shop, customer):
    own = shop.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    made = shop.subscribe(customer, default_payment_method=own.id)
    assert made.default_payment_method == own.id
    assert emptied(sandbox, f"subscriptions/{made.id}", "default_payment_method")["default_payment_method"] is None


def test_an_invoices_and_a_customers_default_methods_are_cleared(sandbox, shop, customer):
    kept = customer.invoice_settings.default_payment_method or shop.give_card(customer, "pm_card_visa").id
    draft = shop.v1.invoices.create({"customer": customer.id, "default_payment_method": kept})
    assert draft.default_payment_method == kept
    assert emptied(sandbox, f"invoices/{draft.id}", "default_payment_method")["default_payment_method"] is None
    changed = emptied(sandbox, f"customers/{customer.id}", "invoice_settings[default_payment_method]")
    assert changed["invoice_settings"]["default_payment_method"] is None


@pytest.mark.parametrize("kind", ["payment_intents", "setup_intents"])
def test_an_intents_method_is_cleared_and_required_again(sandbox, kind):
    money = {"amount": "2000", "currency": "usd", "transfer_group": "g"} if kind == "payment_intents" else {}
    made = sandbox.post(f"/v1/{kind}", payment_method="pm_card_visa", **money).json()
    assert made["status"] == "requires_confirmation"
    changed = emptied(sandbox, f"{kind}/{made['id']}", "payment_method")
    assert (changed["payment_method"], changed["status"]) == (None, "requires_payment_method")
    if money:
        assert emptied(sandbox, f"{kind}/{made['id']}", "transfer_group")["transfer_group"] is None


def test_an_empty_required_value_is_still_refused(sandbox, customer):
    made = sandbox.post("/v1/payment_intents", amount="2000", currency="usd", customer=customer.id).json()
    error = sandbox.post(f"/v1/payment_intents/{made['id']}", customer="").json()["error"]
    assert (error["code"], error["param"]) == ("parameter_invalid_empty", "customer")
    error = sandbox.post("/v1/subscriptions", customer=customer.id, default_payment_method="").json()["error"]
    assert (error["code"], error["param"]) == ("parameter_invalid_empty", "default_payment_method")


def test_empty_parts_of_an_address_are_kept(client):
    shipping = {"name": "Ada", "address": ADDRESS}
    customer = client.v1.customers.create({"address": ADDRESS, "shipping": shipping})
    assert (customer.address.line2, customer.address.state) == ("", None)
    made = client.v1.payment_intents.create({"amount": 2000, "currency": "usd", "shipping": shipping})
    assert (made.shipping.address.line2, made.shipping.address.city) == ("", "")
