"""What invoices come to: discounts, taxes, balances, and the lines they are made of; driven with stripe-python."""

import pytest
import stripe

DAY = 24 * 3600


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"email": "ada@example.org", "address": {"country": "DE"}})


@pytest.fixture
def brush(client):
    """A product with a price of 12.00 dollars."""
    product = client.v1.products.create({"name": "Brush"})
    return client.v1.prices.create({"currency": "usd", "unit_amount": 1200, "product": product.id})


def draft(client, customer, /, *amounts, **changes):
    made = client.v1.invoices.create({"customer": customer.id, "currency": "usd"} | changes)
    for amount in amounts:
        client.v1.invoice_items.create({"customer": customer.id, "invoice": made.id, "amount": amount})
    return client.v1.invoices.retrieve(made.id, {"expand": ["discounts", "lines.data.discounts"]})


def coupon(client, **terms):
    return client.v1.coupons.create(terms)


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


def test_an_amount_off_is_shared_among_the_lines_to_the_last_cent(client, customer):
    invoice = draft(
        client, customer, 100, 100, 100, discounts=[{"coupon": coupon(client, amount_off=100, currency="usd").id}]
    )
    assert taken(invoice) == [[33], [34], [33]]
    assert invoice.total == 200
    small = draft(client, customer, 80, discounts=[{"coupon": coupon(client, amount_off=500, currency="usd").id}])
    assert (small.total, taken(small)) == (0, [[80]])


def test_a_coupon_takes_nothing_off_what_it_is_not_for(client, customer, brush):
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


def test_discounts_of_a_line_come_before_those_of_the_invoice(client, customer):
    half, tenth = coupon(client, percent_off=50), coupon(client, percent_off=10)
    made = draft(client, customer, 1000, discounts=[{"coupon": tenth.id}])
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": made.id, "amount": 1000, "discounts": [{"coupon": half.id}]}
    )
    invoice = client.v1.invoices.retrieve(made.id)
    assert taken(invoice) == [[500, 50], [100]]
    assert (invoice.subtotal, invoice.total) == (1500, 1350)


def test_a_promotion_code_is_counted_and_used_up(sandbox, client, customer):
    quarter = coupon(client, percent_off=25, max_redemptions=1)
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": quarter.id}})
    invoice = draft(client, customer, 400, discounts=[{"promotion_code": code.id}])
    assert (invoice.total, invoice.discounts[0].promotion_code) == (300, code.id)
    assert client.v1.coupons.retrieve(quarter.id).valid is False
    used = client.v1.promotion_codes.retrieve(code.id)
    assert (used.times_redeemed, used.active) == (1, False)
    told = client.v1.events.list({"type": "coupon.updated"}).data[0].data
    assert told.previous_attributes.to_dict() == {"times_redeemed": 0, "valid": True}
    with pytest.raises(stripe.InvalidRequestError) as spent:
        draft(client, customer, discounts=[{"coupon": quarter.id}])
    assert spent.value.code == "coupon_expired"
    with pytest.raises(stripe.InvalidRequestError, match="inactive or expired"):
        draft(client, customer, discounts=[{"promotion_code": code.id}])


def test_codes_for_first_orders_and_for_others_are_refused(client, customer):
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


def test_deleting_a_coupon_changes_nothing_for_those_who_have_it(client, customer):
    half = coupon(client, percent_off=50)
    invoice = draft(client, customer, 1000, discounts=[{"coupon": half.id}])
    client.v1.coupons.delete(half.id)
    client.v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 1000})
    assert client.v1.invoices.retrieve(invoice.id).total == 1000


def rate(client, percentage, *, inclusive):
    return client.v1.tax_rates.create({"display_name": "VAT", "percentage": percentage, "inclusive": inclusive})


def test_exclusive_tax_comes_on_top_and_inclusive_tax_is_inside(client, customer):
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


def test_tax_is_taken_after_discounts_and_a_line_may_have_its_own(client, customer):
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


def test_nobody_exempt_pays_tax(client, customer):
    client.v1.customers.update(customer.id, {"tax_exempt": "reverse"})
    invoice = draft(client, customer, 1000, default_tax_rates=[rate(client, 10, inclusive=False).id])
    assert (invoice.total, invoice.total_taxes[0].taxability_reason) == (1000, "reverse_charge")


def test_automatic_tax_goes_by_the_customers_country(client, customer, brush):
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


def test_automatic_tax_needs_to_know_where(sandbox, client):
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


def test_credit_is_used_first_and_comes_back_with_a_void_invoice(sandbox, client, customer):
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


def test_credit_beyond_the_total_stays_and_pays_at_once(client, customer):
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -5000, "currency": "usd"})
    paid = client.v1.invoices.finalize_invoice(draft(client, customer, 2000).id)
    assert (paid.status, paid.amount_due, paid.ending_balance) == ("paid", 0, -3000)
    assert client.v1.customers.retrieve(customer.id).balance == -3000


def test_too_little_to_charge_waits_for_the_next_invoice(client, customer):
    small = client.v1.invoices.finalize_invoice(draft(client, customer, 30).id)
    assert (small.status, small.total, small.amount_due, small.ending_balance) == ("paid", 30, 0, 30)
    assert draft(client, customer, 100).amount_due == 130
    credit = client.v1.invoices.finalize_invoice(draft(client, customer, -500).id)
    assert (credit.status, credit.total, credit.ending_balance) == ("paid", -500, -470)


def test_items_wait_for_an_invoice_of_their_currency(sandbox, client, customer, brush):
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

    def ids(**asked):
        return [item.id for item in client.v1.invoice_items.list(asked).data]

    assert ids() == ids(customer=customer.id) == [euros.id, waiting.id]
    assert ids(pending=True) == [euros.id]
    assert ids(invoice=invoice.id) == ids(pending=False) == [waiting.id]
    shown = client.v1.invoice_items.retrieve(waiting.id, {"expand": ["invoice", "pricing.price_details.price"]})
    assert (shown.invoice.id, shown.pricing.price_details.price.unit_amount) == (invoice.id, 1200)


def test_an_item_changes_and_goes_with_its_line(sandbox, client, customer, brush):
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
def test_what_is_no_item_is_refused(client, customer, brush, changes, param):
    monthly = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 5, "product": brush.product, "recurring": {"interval": "month"}}
    )
    asked = {"customer": customer.id, "currency": "usd"} | changes
    if asked.get("pricing") == {"price": "MONTHLY"}:
        asked["pricing"] = {"price": monthly.id}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoice_items.create(asked)
    assert refused.value.param == param


def test_lines_are_added_changed_and_removed_in_bulk(sandbox, client, customer, brush):
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


def test_an_invoice_shows_ten_lines_and_lists_the_rest(client, customer):
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
def test_every_way_of_pricing_comes_to_its_amount(client, customer, brush, terms, quantity, amount):
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


def test_an_invoice_of_a_test_clock_lives_in_its_time(sandbox, client):
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    timeless = client.v1.customers.create({"email": "t@example.org", "test_clock": clock.id})
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": timeless.id})
    made = draft(client, timeless, 2000, auto_advance=True, default_payment_method=method.id)
    assert (made.created, made.test_clock) == (1_800_000_000, clock.id)
    sandbox.advance(2 * 3600)
    assert client.v1.invoices.retrieve(made.id).status == "draft"
    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1_800_000_000 + 2 * 3600})
    sandbox.drain()
    paid = client.v1.invoices.retrieve(made.id)
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", 1_800_000_000 + 3600)


def test_a_preview_says_what_the_next_invoice_would_be_and_leaves_nothing(sandbox, client, customer, brush):
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


def test_a_preview_of_a_subscription_says_what_its_change_would_cost(sandbox, client, customer, brush):
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
