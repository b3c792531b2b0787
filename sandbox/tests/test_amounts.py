"""Amounts that Stripe refuses, with its messages, for every parameter with an amount."""

import pytest

KWD = {"currency": "kwd"}
UNEVEN = [
    ("payment_intents", {"amount": "1005", **KWD}, "amount"),
    ("charges", {"amount": "1005", **KWD, "source": "tok_visa"}, "amount"),
    ("prices", {"unit_amount": "1005", **KWD, "product_data[name]": "Clay"}, "unit_amount"),
    ("prices", {"unit_amount_decimal": "1000.5", **KWD, "product_data[name]": "Clay"}, "unit_amount_decimal"),
    (
        "prices",
        {
            "unit_amount": "500", "currency": "usd", "product_data[name]": "Clay",
            "currency_options[kwd][unit_amount]": "1005",
        },
        "currency_options[kwd][unit_amount]",
    ),
    ("coupons", {"amount_off": "1005", **KWD}, "amount_off"),
    ("plans", {"amount": "1005", **KWD, "interval": "month", "product[name]": "Clay"}, "amount"),
    ("transfers", {"amount": "1005", **KWD, "destination": "acct_x"}, "amount"),
    ("payouts", {"amount": "1005", **KWD}, "amount"),
    ("payouts", {"amount": "1050", "currency": "huf"}, "amount"),
    (
        "checkout/sessions",
        {
            "mode": "payment", "success_url": "http://shop.example", "line_items[0][quantity]": "2",
            "line_items[0][price_data][currency]": "kwd", "line_items[0][price_data][unit_amount]": "1005",
            "line_items[0][price_data][product_data][name]": "Clay",
        },
        "line_items[0][price_data][unit_amount]",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "form", "param"), UNEVEN)
def test_an_amount_that_its_currency_does_not_allow_is_refused(sandbox, path, form, param):
    answer = sandbox.post(f"/v1/{path}", **form)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert "divisible by 10" in error["message"]


@pytest.mark.parametrize("currency", ["bhd", "jod", "kwd", "omr", "tnd"])
def test_amounts_with_three_decimals_must_be_divisible_by_ten(sandbox, currency):
    assert sandbox.post("/v1/payment_intents", amount="1009", currency=currency).status_code == 400
    assert sandbox.post("/v1/payment_intents", amount="1010", currency=currency).status_code == 200


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_amounts_in_isk_and_ugx_must_be_divisible_by_a_hundred(sandbox, currency):
    assert "divisible by 100" in sandbox.post("/v1/payment_intents", amount="100050", currency=currency).text
    assert sandbox.post("/v1/payment_intents", amount="100000", currency=currency).status_code == 200


def test_refunds_captures_and_updates_must_be_divisible_too(sandbox, client):
    by_card = {"payment_method": "pm_card_visa", "payment_method_types": ["card"], "confirm": True}
    paid = client.v1.payment_intents.create({"amount": 5000, "currency": "kwd", **by_card})
    assert "divisible by 10" in sandbox.post("/v1/refunds", payment_intent=paid.id, amount="1005").text
    held = client.v1.payment_intents.create({"amount": 5000, "currency": "kwd", "capture_method": "manual", **by_card})
    path = f"/v1/payment_intents/{held.id}"
    assert "divisible by 10" in sandbox.post(f"{path}/capture", amount_to_capture="1005").text
    charge = client.v1.charges.create({"amount": 5000, "currency": "kwd", "source": "tok_visa", "capture": False})
    assert "divisible by 10" in sandbox.post(f"/v1/charges/{charge.id}/capture", amount="1005").text
    fresh = client.v1.payment_intents.create({"amount": 5000, "currency": "kwd"})
    assert "divisible by 10" in sandbox.post(f"/v1/payment_intents/{fresh.id}", amount="1005").text
    assert "divisible by 10" in sandbox.post(f"/v1/payment_intents/{fresh.id}", amount="1005", currency="kwd").text
    customer = client.v1.customers.create()
    item = {"customer": customer.id, "amount": "1005", "currency": "kwd"}
    assert "divisible by 10" in sandbox.post("/v1/invoiceitems", **item).text
    balance = f"/v1/customers/{customer.id}/balance_transactions"
    assert "divisible by 10" in sandbox.post(balance, amount="-1005", currency="kwd").text


@pytest.mark.parametrize("amount", ["-1", "0"])
def test_an_amount_below_one_has_the_error_message_of_its_call(sandbox, client, amount):
    made = client.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_visa"})
    held = client.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_visa", "capture": False})
    for path, form in (
        ("charges", {"currency": "usd", "source": "tok_visa"}),
        (f"charges/{held.id}/capture", {}),
        ("refunds", {"charge": made.id}),
    ):
        error = sandbox.post(f"/v1/{path}", amount=amount, **form).json()["error"]
        assert (error["code"], error["message"]) == ("parameter_invalid_integer", "Invalid positive integer")
    error = sandbox.post("/v1/payment_intents", amount=amount, currency="usd").json()["error"]
    assert error["message"] == "This value must be greater than or equal to 1."


def test_less_than_the_minimum_cannot_be_captured(sandbox, client):
    held = client.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_visa", "capture": False})
    error = sandbox.post(f"/v1/charges/{held.id}/capture", amount="12").json()["error"]
    assert (error["code"], error["param"]) == ("amount_too_small", "amount")
    assert error["message"] == "Amount must be at least $0.50 usd"
    by_card = {"payment_method": "pm_card_visa", "payment_method_types": ["card"], "confirm": True}
    intent = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "capture_method": "manual", **by_card}
    )
    error = sandbox.post(f"/v1/payment_intents/{intent.id}/capture", amount_to_capture="12").json()["error"]
    assert (error["code"], error["param"]) == ("amount_too_small", "amount_to_capture")


@pytest.mark.parametrize("percent", [15, 33.3, 1])
def test_a_percentage_discount_leaves_a_chargeable_amount(sandbox, client, percent):
    coupon = client.v1.coupons.create({"percent_off": percent, "duration": "once"})
    session = sandbox.session(currency="kwd", amount=1010, discounts=[{"coupon": coupon.id}])
    assert session.amount_total % 10 == 0
    assert abs(session.amount_total - 1010 * (100 - percent) / 100) <= 5
    assert sandbox.pay(session).status_code == 200
