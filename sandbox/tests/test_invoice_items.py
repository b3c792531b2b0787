"""Invoice items, their lines, and the amounts of their prices."""

import pytest
import stripe

from sandbox.tests.invoicing import draft, new_brush, new_customer


@pytest.fixture
def brush(client):
    return new_brush(client)


@pytest.fixture
def customer(client):
    return new_customer(client)


def test_items_are_pending_until_an_invoice_in_their_currency(sandbox, client, customer, brush):
    waiting = client.v1.invoice_items.create(
        {"customer": customer.id, "pricing": {"price": brush.id}, "quantity": 3, "metadata": {"a": "1"}}
    )
    euros = client.v1.invoice_items.create({"customer": customer.id, "amount": 5, "currency": "eur"})
    assert (waiting.amount, waiting.description, waiting.invoice, waiting.date) == (3600, "Brush", None, waiting.date)
    left_out = draft(client, customer)
    assert left_out.lines.data == []
    invoice = draft(client, customer, pending_invoice_items_behavior="include")
    [line] = invoice.lines.data
    assert (line.amount, line.metadata["a"], line.parent.invoice_item_details.invoice_item) == (3600, "1", waiting.id)

    def ids(**filters):
        return [item.id for item in client.v1.invoice_items.list(filters).data]

    assert ids() == ids(customer=customer.id) == [euros.id, waiting.id]
    assert ids(pending=True) == [euros.id]
    assert ids(invoice=invoice.id) == ids(pending=False) == [waiting.id]
    shown = client.v1.invoice_items.retrieve(waiting.id, {"expand": ["invoice", "pricing.price_details.price"]})
    assert (shown.invoice.id, shown.pricing.price_details.price.unit_amount) == (invoice.id, 1200)


def test_an_items_line_is_updated_and_deleted_with_it(sandbox, client, customer, brush):
    invoice = draft(client, customer, 500)
    item = client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": invoice.id, "pricing": {"price": brush.id}}
    )
    changed = client.v1.invoice_items.update(item.id, {"quantity": 2, "description": "Two", "metadata": {"k": "v"}})
    assert (changed.amount, changed.quantity, changed.description) == (2400, 2, "Two")
    invoice = client.v1.invoices.retrieve(invoice.id)
    assert (invoice.total, invoice.lines.data[0].description) == (2900, "Two")
    cheaper = client.v1.invoice_items.update(item.id, {"amount": 100})
    assert (cheaper.pricing.price_details.product, str(cheaper.pricing.unit_amount_decimal)) == (brush.product, "50")
    client.v1.invoice_items.delete(item.id)
    assert client.v1.invoices.retrieve(invoice.id).total == 500
    assert sandbox.event_types()[-2:] == ["invoiceitem.deleted", "invoice.updated"]
    [kept] = client.v1.invoice_items.list({"invoice": invoice.id}).data
    client.v1.invoices.finalize_invoice(invoice.id)
    for refused in (client.v1.invoice_items.delete, client.v1.invoice_items.update):
        with pytest.raises(stripe.InvalidRequestError) as fixed:
            refused(kept.id)
        assert fixed.value.code == "invoice_not_editable"
    with pytest.raises(stripe.InvalidRequestError, match="No such Invoice Item"):
        client.v1.invoice_items.retrieve(item.id)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"customer": "cus_none", "amount": 5}, "customer"),
        ({}, "amount"),
        ({"amount": 5, "currency": None}, "currency"),
        ({"pricing": {"price": "price_none"}}, "pricing[price]"),
        ({"pricing": {"price": "MONTHLY"}}, "pricing[price]"),
        ({"invoice": "in_none", "amount": 5}, "invoice"),
        ({"subscription": "sub_none", "amount": 5}, "subscription"),
        ({"amount": 5, "tax_rates": ["txr_none"]}, "tax_rates[0]"),
        ({"amount": 5, "period": {"start": 10, "end": 5}}, "period[end]"),
        ({"price_data": {"currency": "usd", "product": "prod_none", "unit_amount": 5}}, "price_data[product]"),
    ],
)
def test_an_invalid_item_is_refused(client, customer, brush, changes, param):
    monthly = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 5, "product": brush.product, "recurring": {"interval": "month"}}
    )
    parameters = {"customer": customer.id, "currency": "usd"} | changes
    if parameters.get("pricing") == {"price": "MONTHLY"}:
        parameters["pricing"] = {"price": monthly.id}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoice_items.create(parameters)
    assert refused.value.param == param


def test_lines_are_added_updated_and_removed_in_bulk(sandbox, client, customer, brush):
    waiting = client.v1.invoice_items.create({"customer": customer.id, "amount": 70, "currency": "usd"})
    invoice = draft(client, customer)
    data = {"currency": "usd", "product_data": {"name": "Paper"}, "unit_amount": 250}
    added = client.v1.invoices.add_lines(
        invoice.id,
        {
            "lines": [
                {"amount": 100, "description": "Ink"},
                {"pricing": {"price": brush.id}, "quantity": 2},
                {"price_data": data},
                {"invoice_item": waiting.id},
            ],
            "invoice_metadata": {"bulk": "yes"},
        },
    )
    assert ([line.amount for line in added.lines.data], added.total) == ([70, 250, 2400, 100], 2820)
    assert (added.metadata["bulk"], added.lines.data[1].description) == ("yes", "Paper")
    fourth, third, second, first = added.lines.data
    changed = client.v1.invoices.update_lines(
        invoice.id, {"lines": [{"id": first.id, "amount": 150}, {"id": second.id, "quantity": 1}]}
    )
    assert [line.amount for line in changed.lines.data] == [70, 250, 1200, 150]
    assert [line.id for line in changed.lines.data][2:] == [second.id, first.id]
    with pytest.raises(stripe.InvalidRequestError) as both:
        client.v1.invoices.add_lines(invoice.id, {"lines": [{"amount": 5, "quantity": 2}]})
    assert both.value.param == "lines[0][amount]"
    single = client.v1.invoices.line_items.update(invoice.id, third.id, {"description": "Fine paper"})
    assert (single.id, single.description, single.amount) == (third.id, "Fine paper", 250)
    removed = client.v1.invoices.remove_lines(
        invoice.id, {"lines": [{"id": fourth.id, "behavior": "unassign"}, {"id": first.id, "behavior": "delete"}]}
    )
    assert removed.total == 1450
    assert [item.id for item in client.v1.invoice_items.list({"pending": True}).data] == [waiting.id]
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.invoices.remove_lines(invoice.id, {"lines": [{"id": "il_none", "behavior": "delete"}]})
    assert unknown.value.param == "lines[0][id]"
    client.v1.invoices.finalize_invoice(invoice.id)
    with pytest.raises(stripe.InvalidRequestError, match="no longer editable"):
        client.v1.invoices.add_lines(invoice.id, {"lines": [{"amount": 5}]})


def test_an_invoice_shows_ten_lines_and_the_list_has_all(client, customer):
    made = draft(client, customer)
    client.v1.invoices.add_lines(made.id, {"lines": [{"amount": 100 + number} for number in range(12)]})
    invoice = client.v1.invoices.retrieve(made.id)
    assert (len(invoice.lines.data), invoice.lines.has_more, invoice.lines.total_count) == (10, True, 12)
    listed = client.v1.invoices.line_items.list(made.id, {"limit": 5})
    assert [line.amount for line in listed.auto_paging_iter()] == [111 - number for number in range(12)]


GRADUATED = [{"up_to": 2, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 50, "flat_amount": 30}]


@pytest.mark.parametrize(
    ("terms", "quantity", "amount"),
    [
        ({"tiers_mode": "graduated"}, 2, 200),
        ({"tiers_mode": "graduated"}, 5, 200 + 30 + 150),
        ({"tiers_mode": "volume"}, 2, 200),
        ({"tiers_mode": "volume"}, 5, 30 + 250),
        ({"unit_amount": 700, "transform_quantity": {"divide_by": 5, "round": "up"}}, 11, 2100),
        ({"unit_amount": 700, "transform_quantity": {"divide_by": 5, "round": "down"}}, 11, 1400),
        ({"unit_amount_decimal": "0.5"}, 301, 151),
    ],
)
def test_every_pricing_scheme_has_its_amount(client, customer, brush, terms, quantity, amount):
    tiered = {"billing_scheme": "tiered", "tiers": GRADUATED} if "tiers_mode" in terms else {}
    price = client.v1.prices.create(
        {"currency": "usd", "product": brush.product, "recurring": {"interval": "month"}, **tiered, **terms}
    )
    preview = client.v1.invoices.create_preview(
        {"customer": customer.id, "subscription_details": {"items": [{"price": price.id, "quantity": quantity}]}}
    )
    assert preview.total == amount


def test_a_price_is_billed_in_the_currency_of_the_invoice(client, customer, brush):
    both = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1000,
            "product": brush.product,
            "currency_options": {"eur": {"unit_amount": 900}},
        }
    )
    made = draft(client, customer, currency="eur")
    client.v1.invoice_items.create({"customer": customer.id, "invoice": made.id, "pricing": {"price": both.id}})
    assert client.v1.invoices.retrieve(made.id).total == 900
    with pytest.raises(stripe.InvalidRequestError, match="only supports `usd`"):
        client.v1.invoice_items.create({"customer": customer.id, "invoice": made.id, "pricing": {"price": brush.id}})
