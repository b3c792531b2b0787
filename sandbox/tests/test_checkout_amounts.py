import pytest
import stripe

from sandbox.tests.pages import error_at, post_page, text_of


@pytest.fixture
def half(client):
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once", "name": "Half"})
    promotion = {"type": "coupon", "coupon": coupon.id}
    return client.v1.promotion_codes.create({"promotion": promotion, "code": "HALF"})


def expanded(client, session):
    wanted = ["line_items.data.discounts", "line_items.data.taxes", "total_details.breakdown"]
    return client.v1.checkout.sessions.retrieve(session.id, {"expand": wanted})


def test_a_coupon_discounts_every_line_and_is_redeemed_by_the_payment(sandbox, client):
    coupon = client.v1.coupons.create({"amount_off": 500, "currency": "usd", "duration": "once"})
    session = sandbox.session(discounts=[{"coupon": coupon.id}])
    assert (session.amount_subtotal, session.amount_total, session.total_details.amount_discount) == (2000, 1500, 500)
    assert session.discounts[0].coupon == coupon.id
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 0
    sandbox.pay(session)
    paid = expanded(client, session)
    assert paid.line_items.data[0].amount_discount == 500
    assert paid.line_items.data[0].discounts[0].amount == 500
    assert paid.total_details.breakdown.discounts[0].discount.source.coupon == coupon.id
    assert sandbox.intent_of(session).amount_received == 1500
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_a_buyer_applies_and_removes_a_promotion_code(sandbox, client, half):
    session = sandbox.session(allow_promotion_codes=True)
    page = post_page(sandbox, session, do="promotion", promotionCode="half")
    assert (page.status_code, text_of(page, "discount"), text_of(page, "total")) == (200, "-$10.00", "$10.00")
    assert "The total is now $10.00" in page.text
    changed = client.v1.checkout.sessions.retrieve(session.id)
    assert (changed.discounts[0].promotion_code, changed.amount_total) == (half.id, 1000)
    page = post_page(sandbox, session, do="remove-promotion")
    assert text_of(page, "total") == "$20.00"
    post_page(sandbox, session, promotionCode="HALF")
    assert post_page(sandbox, session).status_code == 303
    assert client.v1.promotion_codes.retrieve(half.id).times_redeemed == 1


@pytest.mark.parametrize("restriction", ["unknown", "minimum", "first_time", "inactive"])
def test_an_unusable_code_shows_an_error_beside_its_field(sandbox, client, half, restriction):
    typed = "HALF"
    if restriction == "unknown":
        typed = "QUARTER"
    elif restriction == "inactive":
        client.v1.promotion_codes.update(half.id, {"active": False})
    else:
        limits = {"minimum": {"minimum_amount": 9000, "minimum_amount_currency": "usd"}}
        restrictions = limits.get(restriction, {"first_time_transaction": True})
        promotion = {"type": "coupon", "coupon": half.promotion.coupon}
        client.v1.promotion_codes.create({"promotion": promotion, "code": "ONLY", "restrictions": restrictions})
        typed = "ONLY"
    session = sandbox.session(allow_promotion_codes=True)
    page = post_page(sandbox, session, do="promotion", promotionCode=typed)
    assert (page.status_code, error_at(page, "promotionCode")) == (422, "This code is invalid.")
    assert client.v1.checkout.sessions.retrieve(session.id).discounts == []


def test_codes_are_ignored_unless_the_shop_allows_them(sandbox, client, half):
    session = sandbox.session()
    assert "promotionCode" not in sandbox.get(f"/c/pay/{session.id}").text
    post_page(sandbox, session, promotionCode="HALF")
    assert sandbox.intent_of(session).amount_received == 2000


def test_discounts_and_codes_exclude_each_other(sandbox, client):
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    message = "only specify one of these parameters: allow_promotion_codes, discounts"
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        sandbox.session(discounts=[{"coupon": coupon.id}], allow_promotion_codes=True)
    assert refused.value.param == "allow_promotion_codes"


def test_a_full_discount_needs_no_payment(sandbox, client):
    coupon = client.v1.coupons.create({"percent_off": 100, "duration": "once"})
    session = sandbox.session(discounts=[{"coupon": coupon.id}])
    assert "cardNumber" not in sandbox.get(f"/c/pay/{session.id}").text
    answer = sandbox.post(f"/c/pay/{session.id}", email="ada@example.org", billingCountry="GB")
    assert answer.status_code == 303
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.payment_status, done.payment_intent) == ("no_payment_required", None)
    assert sandbox.event_types()[-2:] == ["coupon.updated", "checkout.session.completed"]


@pytest.mark.parametrize(("inclusive", "total"), [(False, 2400), (True, 2000)])
def test_a_lines_tax_rate_is_exclusive_or_inclusive(sandbox, client, inclusive, total):
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": inclusive})
    price = {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Ink"}}
    session = sandbox.session(line_items=[{"price_data": price, "quantity": 1, "tax_rates": [rate.id]}])
    assert session.amount_total == total
    line = expanded(client, session).line_items.data[0]
    assert (line.amount_tax, line.taxes[0].rate.id) == (400 if not inclusive else 333, rate.id)
    assert expanded(client, session).total_details.breakdown.taxes[0].amount == line.amount_tax
    sandbox.pay(session)
    intent = sandbox.intent_of(session)
    assert (intent.amount, intent.amount_details.tax.total_tax_amount) == (total, line.amount_tax)


def test_automatic_tax_needs_the_country_and_a_confirmation_of_the_new_total(sandbox, client):
    session = sandbox.session(automatic_tax={"enabled": True})
    assert (session.automatic_tax.status, session.amount_total) == ("requires_location_inputs", 2000)
    page = post_page(sandbox, session, billingCountry="")
    assert error_at(page, "billingCountry") == "Required"
    page = post_page(sandbox, session, billingCountry="DE")
    assert (page.status_code, text_of(page, "tax"), text_of(page, "total")) == (200, "$3.80", "$23.80")
    assert client.v1.checkout.sessions.retrieve(session.id).automatic_tax.status == "complete"
    assert post_page(sandbox, session, billingCountry="DE").status_code == 303
    assert sandbox.intent_of(session).amount == 2380


def test_automatic_tax_of_a_known_customer_needs_an_address(sandbox, client):
    nowhere = client.v1.customers.create({"email": "a@example.org"})
    with pytest.raises(stripe.InvalidRequestError, match="requires a valid address on the Customer") as refused:
        sandbox.session(automatic_tax={"enabled": True}, customer=nowhere.id)
    assert refused.value.code == "customer_tax_location_invalid"
    session = sandbox.session(automatic_tax={"enabled": True}, customer=nowhere.id, customer_update={"address": "auto"})
    post_page(sandbox, session, billingCountry="FR")
    post_page(sandbox, session, billingCountry="FR")
    assert client.v1.customers.retrieve(nowhere.id).address.country == "FR"
    known = client.v1.customers.create({"address": {"country": "DE"}})
    session = sandbox.session(automatic_tax={"enabled": True}, customer=known.id)
    assert (session.automatic_tax.status, session.amount_total) == ("complete", 2380)


def test_a_buyer_changes_quantities_within_the_shops_bounds(sandbox, client):
    price = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Brush"}}
    bounds = {"enabled": True, "minimum": 1, "maximum": 5}
    session = sandbox.session(line_items=[{"price_data": price, "quantity": 2, "adjustable_quantity": bounds}])
    (line,) = client.v1.checkout.sessions.line_items.list(session.id).data
    assert line.adjustable_quantity.maximum == 5
    field = f"quantity-{line.id}"
    page = post_page(sandbox, session, do="update", **{field: 9})
    assert error_at(page, field) == "Choose between 1 and 5."
    page = post_page(sandbox, session, **{field: 3})
    assert (page.status_code, text_of(page, "total")) == (200, "$21.00")
    assert post_page(sandbox, session, **{field: 3}).status_code == 303
    assert sandbox.intent_of(session).amount_received == 2100
    assert client.v1.checkout.sessions.line_items.list(session.id).data[0].quantity == 3


def test_an_invoice_is_created_on_request(sandbox, client):
    session = sandbox.session(
        invoice_creation={"enabled": True, "invoice_data": {"footer": "Thank you", "metadata": {"order": "7"}}}
    )
    before = len(sandbox.event_types())
    sandbox.pay(session)
    emitted = sandbox.event_types()[before:]
    assert emitted == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice.payments"]})
    invoice = paid.invoice
    assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == ("paid", "manual", 2000)
    assert (invoice.footer, invoice.metadata["order"]) == ("Thank you", "7")
    assert invoice.payments.data[0].payment.payment_intent == paid.payment_intent


def test_prices_in_another_currency_are_refused_or_converted_by_their_options(sandbox, client):
    product = client.v1.products.create({"name": "Ink"})
    options = {"eur": {"unit_amount": 1800}}
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2000, "currency_options": options}
    )
    lines = [{"price": price.id, "quantity": 2}]
    parameters = {"mode": "payment", "line_items": lines, "success_url": "http://shop.example/done"}
    assert client.v1.checkout.sessions.create(parameters | {"currency": "eur"}).amount_total == 3600
    with pytest.raises(stripe.InvalidRequestError, match="doesn't match the expected currency"):
        client.v1.checkout.sessions.create(parameters | {"currency": "gbp"})
