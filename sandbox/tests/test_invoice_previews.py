"""Previews of invoices."""

import pytest
import stripe

from sandbox.tests.invoicing import coupon, new_brush, new_customer


@pytest.fixture
def brush(client):
    return new_brush(client)


@pytest.fixture
def customer(client):
    return new_customer(client)


def test_a_preview_shows_the_next_invoice_and_stores_nothing(sandbox, client, customer, brush):
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices") as nothing:
        client.v1.invoices.create_preview({"customer": customer.id})
    assert (nothing.value.code, nothing.value.http_status) == ("invoice_upcoming_none", 404)
    client.v1.invoice_items.create({"customer": customer.id, "amount": 300, "currency": "usd"})
    before = sandbox.event_types()
    preview = client.v1.invoices.create_preview(
        {
            "customer": customer.id,
            "invoice_items": [{"price": brush.id, "quantity": 2}],
            "discounts": [{"coupon": coupon(client, percent_off=10).id}],
            "automatic_tax": {"enabled": True},
            "customer_details": {"address": {"country": "FR"}},
        }
    )
    assert (preview.status, preview.subtotal, preview.total) == ("draft", 2700, 2916)
    assert preview.id.startswith("upcoming_in_")
    assert sandbox.event_types() == [*before, "coupon.created"]
    assert client.v1.invoices.list().data == []
    assert len(client.v1.invoice_items.list().data) == 1


def test_a_preview_of_a_subscription_shows_the_cost_of_a_change(sandbox, client, customer, brush):
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    prices = [
        client.v1.prices.create(
            {"currency": "usd", "unit_amount": amount, "product": brush.product, "recurring": {"interval": "month"}}
        )
        for amount in (1000, 3000)
    ]
    new = client.v1.invoices.create_preview(
        {"customer": customer.id, "subscription_details": {"items": [{"price": prices[0].id, "quantity": 2}]}}
    )
    assert (new.total, new.billing_reason) == (2000, "subscription_create")
    assert client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    subscription = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": prices[0].id}], "default_payment_method": method.id}
    )
    sandbox.advance(5)
    before = sandbox.event_types()
    upcoming = client.v1.invoices.create_preview({"subscription": subscription.id})
    assert (upcoming.total, upcoming.parent.subscription_details.subscription) == (1000, subscription.id)
    item = subscription["items"].data[0]
    dearer = client.v1.invoices.create_preview(
        {
            "subscription": subscription.id,
            "subscription_details": {"items": [{"id": item.id, "price": prices[1].id}]},
        }
    )
    assert sum(line.amount for line in dearer.lines.data) == dearer.total
    assert dearer.total >= 3000 + 1990
    assert sandbox.event_types() == before
    assert client.v1.subscriptions.retrieve(subscription.id)["items"].data[0].price.id == prices[0].id
