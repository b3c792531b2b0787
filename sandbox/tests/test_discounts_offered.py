"""Coupons and promotion codes over the API; the amounts they discount are in test_invoice_amounts."""

import time

import pytest
import stripe

DAY = 24 * 3600


def coupon(client, /, **changes):
    return client.v1.coupons.create({"percent_off": 25} | changes)


def code(client, coupon_id, /, **changes):
    return client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon_id}} | changes)


def test_a_coupon_is_created_updated_and_deleted(sandbox, client):
    made = coupon(client, id="SPRING", name="Spring", metadata={"a": "1"}, duration="repeating", duration_in_months=3)
    assert (made.id, made.percent_off, made.amount_off, made.currency) == ("SPRING", 25, None, None)
    assert (made.duration_in_months, made.valid, made.times_redeemed) == (3, True, 0)
    changed = client.v1.coupons.update("SPRING", {"name": "Spring sale", "metadata": {"b": "2"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Spring sale", {"a": "1", "b": "2"})
    with pytest.raises(stripe.InvalidRequestError) as fixed:
        client.v1.coupons.update("SPRING", {"percent_off": 50})
    assert fixed.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as twice:
        coupon(client, id="SPRING")
    assert twice.value.code == "resource_already_exists"
    assert client.v1.coupons.delete("SPRING").to_dict() == {"id": "SPRING", "object": "coupon", "deleted": True}
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon: 'SPRING'") as gone:
        client.v1.coupons.retrieve("SPRING")
    assert gone.value.http_status == 404
    assert client.v1.coupons.list().data == []
    assert sandbox.event_types() == ["coupon.created", "coupon.updated", "coupon.deleted"]
    assert coupon(client, id="SPRING", percent_off=50).percent_off == 50
    assert [found.id for found in client.v1.coupons.list().data] == ["SPRING"]


def test_products_and_currencies_of_a_coupon_are_shown_when_expanded(client):
    product = client.v1.products.create({"name": "Brush"})
    made = client.v1.coupons.create(
        {
            "amount_off": 500,
            "currency": "usd",
            "currency_options": {"eur": {"amount_off": 400}},
            "applies_to": {"products": [product.id]},
        }
    )
    assert "applies_to" not in made
    assert "currency_options" not in made
    shown = client.v1.coupons.retrieve(made.id, {"expand": ["applies_to", "currency_options"]})
    assert shown.applies_to.products == [product.id]
    assert shown.currency_options.to_dict() == {"usd": {"amount_off": 500}, "eur": {"amount_off": 400}}
    client.v1.coupons.update(made.id, {"currency_options": {"gbp": {"amount_off": 350}}})
    [listed] = client.v1.coupons.list({"expand": ["data.currency_options"]}).data
    assert sorted(listed.currency_options.to_dict()) == ["eur", "gbp", "usd"]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"percent_off": None}, None),
        ({"amount_off": 5, "currency": "usd"}, None),
        ({"percent_off": 0}, "percent_off"),
        ({"percent_off": 101}, "percent_off"),
        ({"percent_off": None, "amount_off": 5}, "currency"),
        ({"percent_off": None, "amount_off": 0, "currency": "usd"}, "amount_off"),
        ({"duration": "repeating"}, "duration"),
        ({"duration_in_months": 2}, "duration_in_months"),
        ({"redeem_by": 1000}, "redeem_by"),
        ({"redeem_by": 4_102_444_800}, "redeem_by"),
        ({"max_redemptions": 0}, "max_redemptions"),
        ({"name": "x" * 41}, "name"),
        ({"applies_to": {"products": ["prod_none"]}}, "applies_to[products][0]"),
        ({"currency_options": {"eur": {"amount_off": 1}}}, "currency_options"),
    ],
)
def test_an_invalid_coupon_is_refused(client, changes, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        coupon(client, **changes)
    assert refused.value.param == param


def test_a_coupon_is_invalid_after_redeem_by(sandbox, client):
    made = coupon(client, redeem_by=int(time.time()) + DAY)
    promoted = code(client, made.id)
    sandbox.advance(2 * DAY)
    assert client.v1.coupons.retrieve(made.id).valid is False
    assert client.v1.promotion_codes.retrieve(promoted.id).active is False
    assert client.v1.promotion_codes.list({"active": True}).data == []
    with pytest.raises(stripe.InvalidRequestError) as late:
        code(client, made.id)
    assert late.value.code == "coupon_expired"


def test_a_promotion_code_is_created_listed_and_deactivated(sandbox, client):
    made, customer = coupon(client), client.v1.customers.create({"email": "a@example.org"})
    open_to_all = code(client, made.id, code="SAVE25", restrictions={"first_time_transaction": True})
    personal = code(client, made.id, customer=customer.id, expand=["promotion.coupon", "customer"])
    assert (open_to_all.code, open_to_all.active, open_to_all.promotion.coupon) == ("SAVE25", True, made.id)
    assert open_to_all.restrictions.to_dict() == {
        "first_time_transaction": True,
        "minimum_amount": None,
        "minimum_amount_currency": None,
    }
    assert (personal.promotion.coupon.percent_off, personal.customer.email) == (25, "a@example.org")

    def ids(**filters):
        return [found.id for found in client.v1.promotion_codes.list(filters).data]

    assert ids(coupon=made.id) == [personal.id, open_to_all.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon: 'NONE'"):
        ids(coupon="NONE")
    with pytest.raises(stripe.InvalidRequestError, match="No such promotion code: 'promo_none'"):
        client.v1.promotion_codes.retrieve("promo_none")
    assert ids(code="save25") == [open_to_all.id]
    assert ids(customer=customer.id) == [personal.id]
    off = client.v1.promotion_codes.update(open_to_all.id, {"active": False, "metadata": {"k": "v"}})
    assert (off.active, off.metadata["k"]) == (False, "v")
    assert ids(active=True) == [personal.id]
    assert ids(active=False) == [open_to_all.id]
    assert client.v1.promotion_codes.update(open_to_all.id, {"active": True}).active is True
    kinds = ["promotion_code.created"] * 2 + ["promotion_code.updated"] * 2
    assert [kind for kind in sandbox.event_types() if kind.startswith("promotion_code")] == kinds


def test_an_active_code_is_unique_without_regard_to_case(client):
    made, customer = coupon(client), client.v1.customers.create({"email": "a@example.org"})
    first = code(client, made.id, code="Save25")
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        code(client, made.id, code="SAVE25")
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        code(client, made.id, code="SAVE25", customer=customer.id)
    client.v1.promotion_codes.update(first.id, {"active": False})
    code(client, made.id, code="SAVE25", customer=customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        client.v1.promotion_codes.update(first.id, {"active": True})


def test_minimum_amounts_in_several_currencies_are_shown_when_expanded(client):
    limits = {"minimum_amount": 1000, "minimum_amount_currency": "usd",
              "currency_options": {"eur": {"minimum_amount": 900}}}  # fmt: skip
    made = code(client, coupon(client).id, restrictions=limits, expand=["restrictions.currency_options"])
    shown = made.restrictions.currency_options
    assert {code: option.minimum_amount for code, option in shown.items()} == {"usd": 1000, "eur": 900}
    assert "currency_options" not in client.v1.promotion_codes.retrieve(made.id).restrictions


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"code": "no spaces"}, "code"),
        ({"promotion": {"type": "coupon", "coupon": "NONE"}}, "promotion[coupon]"),
        ({"promotion": {"type": "coupon"}}, "promotion.coupon"),
        ({"coupon": "LIMITED"}, "coupon"),
        ({"customer": "cus_none"}, "customer"),
        ({"expires_at": 1000}, "expires_at"),
        ({"max_redemptions": 6}, "max_redemptions"),
        ({"restrictions": {"minimum_amount": 1000}}, "restrictions[minimum_amount_currency]"),
    ],
)
def test_an_invalid_promotion_code_is_refused(client, changes, param):
    coupon(client, id="LIMITED", max_redemptions=5)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        code(client, "LIMITED", **changes)
    assert refused.value.param == param


def test_a_code_becomes_inactive_when_its_coupon_is_deleted(client):
    made = coupon(client)
    promoted = code(client, made.id)
    client.v1.coupons.delete(made.id)
    assert client.v1.promotion_codes.retrieve(promoted.id).active is False
    with pytest.raises(stripe.InvalidRequestError, match="cannot be activated"):
        client.v1.promotion_codes.update(promoted.id, {"active": True})


def test_a_tax_rate_can_be_updated_but_its_percentage_cannot(sandbox, client):
    made = client.v1.tax_rates.create(
        {"display_name": "VAT", "inclusive": False, "percentage": 19.5, "country": "DE", "tax_type": "vat"}
    )
    assert (made.percentage, made.active, made.country, made.tax_type) == (19.5, True, "DE", "vat")
    changed = client.v1.tax_rates.update(made.id, {"active": False, "description": "old", "metadata": {"a": "b"}})
    assert (changed.active, changed.description) == (False, "old")
    with pytest.raises(stripe.InvalidRequestError) as fixed:
        client.v1.tax_rates.update(made.id, {"percentage": 7})
    assert fixed.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as much:
        client.v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 101})
    assert much.value.param == "percentage"
    assert [found.id for found in client.v1.tax_rates.list({"active": False, "inclusive": False}).data] == [made.id]
    assert client.v1.tax_rates.list({"active": True}).data == []
    assert sandbox.event_types() == ["tax_rate.created", "tax_rate.updated"]
    assert client.v1.tax_rates.retrieve(made.id).metadata["a"] == "b"


def test_a_shipping_rate_is_created_listed_and_deactivated(sandbox, client):
    made = client.v1.shipping_rates.create(
        {
            "display_name": "Ground",
            "type": "fixed_amount",
            "fixed_amount": {"amount": 500, "currency": "usd", "currency_options": {"eur": {"amount": 450}}},
            "delivery_estimate": {"maximum": {"unit": "day", "value": 5}},
        }
    )
    assert (made.fixed_amount.amount, made.delivery_estimate.maximum.value) == (500, 5)
    shown = client.v1.shipping_rates.retrieve(made.id, {"expand": ["fixed_amount.currency_options"]})
    assert shown.fixed_amount.currency_options["eur"]["amount"] == 450
    changed = client.v1.shipping_rates.update(made.id, {"active": False, "tax_behavior": "inclusive"})
    assert (changed.active, changed.tax_behavior) == (False, "inclusive")
    assert client.v1.shipping_rates.list({"active": True}).data == []
    assert [found.id for found in client.v1.shipping_rates.list({"currency": "usd"}).data] == [made.id]
    with pytest.raises(stripe.InvalidRequestError) as empty:
        client.v1.shipping_rates.create({"display_name": "Free"})
    assert empty.value.param == "fixed_amount"
    assert sandbox.event_types() == []
