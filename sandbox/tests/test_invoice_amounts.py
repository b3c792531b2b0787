"""Amounts of invoices: discounts, taxes and customer balances."""

import pytest
import stripe

from sandbox.tests.invoicing import coupon, draft, new_brush, new_customer


@pytest.fixture
def brush(client):
    return new_brush(client)


@pytest.fixture
def customer(client):
    return new_customer(client)


def taken(invoice):
    return [[discount.amount for discount in line.discount_amounts] for line in invoice.lines.data]


def test_percentages_are_rounded_on_each_line(client, customer):
    third = coupon(client, percent_off=33.3)
    invoice = draft(client, customer, 101, 50, discounts=[{"coupon": third.id}])
    assert taken(invoice) == [[17], [34]]
    assert (invoice.subtotal, invoice.total, invoice.amount_due) == (151, 100, 100)
    [discount] = invoice.discounts
    assert (discount.source.coupon, discount.promotion_code, discount.customer) == (third.id, None, customer.id)
    assert [(one.amount, one.discount) for one in invoice.total_discount_amounts] == [(51, discount.id)]
    assert client.v1.coupons.retrieve(third.id).times_redeemed == 1


def test_an_amount_off_is_divided_over_the_lines_to_the_last_cent(client, customer):
    invoice = draft(
        client, customer, 100, 100, 100, discounts=[{"coupon": coupon(client, amount_off=100, currency="usd").id}]
    )
    assert taken(invoice) == [[33], [34], [33]]
    assert invoice.total == 200
    small = draft(client, customer, 80, discounts=[{"coupon": coupon(client, amount_off=500, currency="usd").id}])
    assert (small.total, taken(small)) == (0, [[80]])


def test_a_coupon_discounts_only_its_products(client, customer, brush):
    only_brushes = coupon(client, percent_off=50, applies_to={"products": [brush.product]})
    invoice = draft(client, customer, 1000, discounts=[{"coupon": only_brushes.id}])
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": invoice.id, "pricing": {"price": brush.id}, "quantity": 2}
    )
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": invoice.id, "pricing": {"price": brush.id}, "discountable": False}
    )
    invoice = client.v1.invoices.retrieve(invoice.id)
    assert taken(invoice) == [[], [1200], [0]]
    assert (invoice.subtotal, invoice.total) == (4600, 3400)
    line = invoice.lines.data[1]
    assert (line.description, line.quantity, line.pricing.price_details.price) == ("Brush", 2, brush.id)


def test_discounts_of_a_line_apply_before_those_of_the_invoice(client, customer):
    half, tenth = coupon(client, percent_off=50), coupon(client, percent_off=10)
    made = draft(client, customer, 1000, discounts=[{"coupon": tenth.id}])
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": made.id, "amount": 1000, "discounts": [{"coupon": half.id}]}
    )
    invoice = client.v1.invoices.retrieve(made.id)
    assert taken(invoice) == [[500, 50], [100]]
    assert (invoice.subtotal, invoice.total) == (1500, 1350)


def test_a_promotion_codes_redemptions_are_counted_and_limited(sandbox, client, customer):
    quarter = coupon(client, percent_off=25, max_redemptions=1)
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": quarter.id}})
    invoice = draft(client, customer, 400, discounts=[{"promotion_code": code.id}])
    assert (invoice.total, invoice.discounts[0].promotion_code) == (300, code.id)
    assert client.v1.coupons.retrieve(quarter.id).valid is False
    used = client.v1.promotion_codes.retrieve(code.id)
    assert (used.times_redeemed, used.active) == (1, False)
    data = client.v1.events.list({"type": "coupon.updated"}).data[0].data
    assert data.previous_attributes.to_dict() == {"times_redeemed": 0, "valid": True}
    with pytest.raises(stripe.InvalidRequestError) as spent:
        draft(client, customer, discounts=[{"coupon": quarter.id}])
    assert spent.value.code == "coupon_expired"
    with pytest.raises(stripe.InvalidRequestError, match="inactive or expired"):
        draft(client, customer, discounts=[{"promotion_code": code.id}])


def test_codes_for_first_orders_and_for_other_customers_are_refused(client, customer):
    quarter, other = coupon(client, percent_off=25), client.v1.customers.create({"name": "Bea"})
    promoted = {"promotion": {"type": "coupon", "coupon": quarter.id}}
    first = client.v1.promotion_codes.create({**promoted, "restrictions": {"first_time_transaction": True}})
    foreign = client.v1.promotion_codes.create({**promoted, "customer": other.id})
    assert draft(client, customer, 400, discounts=[{"promotion_code": first.id}]).total == 300
    client.v1.invoices.pay(draft(client, customer, 400).id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="prior transactions"):
        draft(client, customer, discounts=[{"promotion_code": first.id}])
    with pytest.raises(stripe.InvalidRequestError, match="this customer"):
        draft(client, customer, discounts=[{"promotion_code": foreign.id}])
    with pytest.raises(stripe.InvalidRequestError, match="cannot be applied to eur"):
        draft(client, customer, currency="eur", discounts=[{"coupon": coupon(client, amount_off=5, currency="usd").id}])


def test_deleting_a_coupon_keeps_existing_discounts(client, customer):
    half = coupon(client, percent_off=50)
    invoice = draft(client, customer, 1000, discounts=[{"coupon": half.id}])
    client.v1.coupons.delete(half.id)
    client.v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 1000})
    assert client.v1.invoices.retrieve(invoice.id).total == 1000


def rate(client, percentage, *, inclusive):
    return client.v1.tax_rates.create({"display_name": "VAT", "percentage": percentage, "inclusive": inclusive})


def test_exclusive_tax_is_added_and_inclusive_tax_is_contained(client, customer):
    on_top, inside = rate(client, 19, inclusive=False), rate(client, 20, inclusive=True)
    invoice = draft(client, customer, 1001, default_tax_rates=[on_top.id])
    assert (invoice.subtotal, invoice.total, invoice.total_excluding_tax) == (1001, 1191, 1001)
    [tax] = invoice.total_taxes
    assert (tax.amount, tax.tax_behavior, tax.tax_rate_details.tax_rate, tax.taxable_amount) == (
        190, "exclusive", on_top.id, 1001,
    )  # fmt: skip
    client.v1.invoices.update(invoice.id, {"default_tax_rates": [inside.id]})
    invoice = client.v1.invoices.retrieve(invoice.id)
    assert (invoice.subtotal, invoice.subtotal_excluding_tax, invoice.total) == (1001, 834, 1001)
    assert (invoice.total_taxes[0].amount, invoice.total_excluding_tax) == (167, 834)
    assert invoice.default_tax_rates[0].percentage == 20


def test_tax_is_computed_after_discounts_and_a_line_may_have_its_own_rate(client, customer):
    ten, five = rate(client, 10, inclusive=False), rate(client, 5, inclusive=False)
    half = coupon(client, percent_off=50)
    made = draft(client, customer, 1000, default_tax_rates=[ten.id], discounts=[{"coupon": half.id}])
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": made.id, "amount": 1000, "tax_rates": [five.id]}
    )
    invoice = client.v1.invoices.retrieve(made.id)
    assert [[tax.amount for tax in line.taxes] for line in invoice.lines.data] == [[25], [50]]
    assert (invoice.total, invoice.total_excluding_tax) == (1075, 1000)
    client.v1.tax_rates.update(ten.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        draft(client, customer, default_tax_rates=[ten.id])


def test_an_exempt_customer_pays_no_tax(client, customer):
    client.v1.customers.update(customer.id, {"tax_exempt": "reverse"})
    invoice = draft(client, customer, 1000, default_tax_rates=[rate(client, 10, inclusive=False).id])
    assert (invoice.total, invoice.total_taxes[0].taxability_reason) == (1000, "reverse_charge")


def test_automatic_tax_uses_the_customers_country(client, customer, brush):
    invoice = draft(client, customer, 1000, automatic_tax={"enabled": True})
    assert (invoice.automatic_tax.status, invoice.total, invoice.total_taxes[0].amount) == ("complete", 1190, 190)
    assert invoice.total_taxes[0].taxability_reason == "standard_rated"
    german = client.v1.tax_rates.retrieve(invoice.total_taxes[0].tax_rate_details.tax_rate)
    assert (german.country, german.percentage) == ("DE", 19)
    assert client.v1.tax_rates.list().data == []
    inclusive = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1190, "product": brush.product, "tax_behavior": "inclusive"}
    )
    made = draft(client, customer, automatic_tax={"enabled": True})
    client.v1.invoice_items.create({"customer": customer.id, "invoice": made.id, "pricing": {"price": inclusive.id}})
    made = client.v1.invoices.retrieve(made.id)
    assert (made.total, made.total_excluding_tax) == (1190, 1000)


def test_automatic_tax_needs_a_location(sandbox, client):
    nowhere = client.v1.customers.create({"email": "n@example.org"})
    invoice = draft(client, nowhere, 1000, automatic_tax={"enabled": True}, auto_advance=True)
    assert invoice.automatic_tax.status == "requires_location_inputs"
    with pytest.raises(stripe.InvalidRequestError) as lost:
        client.v1.invoices.finalize_invoice(invoice.id)
    assert lost.value.code == "customer_tax_location_invalid"
    sandbox.advance(2 * 3600)
    stuck = client.v1.invoices.retrieve(invoice.id)
    assert (stuck.status, stuck.last_finalization_error.code) == ("draft", "customer_tax_location_invalid")
    found = client.v1.invoices.search({"query": "last_finalization_error_code:'customer_tax_location_invalid'"})
    assert [hit.id for hit in found.data] == [invoice.id]
    assert sandbox.event_types()[-1] == "invoice.finalization_failed"


def test_credit_is_applied_first_and_restored_by_voiding(sandbox, client, customer):
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -700, "currency": "usd"})
    invoice = draft(client, customer, 2000)
    assert (invoice.starting_balance, invoice.amount_due, invoice.ending_balance) == (-700, 1300, None)
    opened = client.v1.invoices.finalize_invoice(invoice.id)
    assert (opened.amount_due, opened.ending_balance, client.v1.customers.retrieve(customer.id).balance) == (1300, 0, 0)
    [used, given] = client.v1.customers.balance_transactions.list(customer.id).data
    assert (used.type, used.amount, used.invoice, given.type) == ("applied_to_invoice", 700, invoice.id, "adjustment")
    client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.customers.retrieve(customer.id).balance == -700
    moved = client.v1.customers.balance_transactions.retrieve(customer.id, used.id)
    assert moved.ending_balance == 0


def test_credit_that_covers_the_total_pays_immediately_and_the_rest_remains(client, customer):
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -5000, "currency": "usd"})
    paid = client.v1.invoices.finalize_invoice(draft(client, customer, 2000).id)
    assert (paid.status, paid.amount_due, paid.ending_balance) == ("paid", 0, -3000)
    assert client.v1.customers.retrieve(customer.id).balance == -3000


def test_an_amount_below_the_minimum_moves_to_the_next_invoice(client, customer):
    small = client.v1.invoices.finalize_invoice(draft(client, customer, 30).id)
    assert (small.status, small.total, small.amount_due, small.ending_balance) == ("paid", 30, 0, 30)
    assert draft(client, customer, 100).amount_due == 130
    credit = client.v1.invoices.finalize_invoice(draft(client, customer, -500).id)
    assert (credit.status, credit.total, credit.ending_balance) == ("paid", -500, -470)
