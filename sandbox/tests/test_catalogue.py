"""Products, prices and plans, driven with stripe-python."""

import pytest
import stripe


@pytest.fixture
def product(client):
    return client.v1.products.create({"name": "Brush", "metadata": {"sku": "b1"}})


def price(client, product, /, **changes):
    return client.v1.prices.create({"currency": "usd", "unit_amount": 1200, "product": product.id} | changes)


def events(sandbox, kind):
    found = sandbox.client.v1.events.list({"type": kind, "limit": 100}).data
    return [event.data for event in found][::-1]


def test_a_product_is_created_updated_and_deleted(sandbox, client, product):
    assert (product.active, product.type, product.default_price) == (True, "service", None)
    changed = client.v1.products.update(product.id, {"name": "Fine brush", "metadata": {"sku": "", "size": "3"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Fine brush", {"size": "3"})
    [update] = events(sandbox, "product.updated")
    assert update.previous_attributes["name"] == "Brush"
    assert client.v1.products.update(product.id, {"name": "Fine brush"}).updated == changed.updated
    assert len(events(sandbox, "product.updated")) == 1, "no event without a change"
    deleted = client.v1.products.delete(product.id)
    assert deleted.to_dict() == {"id": product.id, "object": "product", "deleted": True}
    with pytest.raises(stripe.InvalidRequestError, match="No such product") as gone:
        client.v1.products.retrieve(product.id)
    assert gone.value.http_status == 404
    assert sandbox.event_types() == ["product.created", "product.updated", "product.deleted"]


def test_a_product_may_be_created_with_an_id_and_a_default_price(sandbox, client):
    made = client.v1.products.create(
        {
            "id": "easel",
            "name": "Easel",
            "default_price_data": {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}},
            "expand": ["default_price"],
        }
    )
    assert (made.id, made.default_price.unit_amount, made.default_price.type) == ("easel", 900, "recurring")
    assert made.default_price.product == "easel"
    assert sandbox.event_types() == ["product.created", "price.created", "plan.created"]
    assert events(sandbox, "product.created")[0].object.default_price == made.default_price.id
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.products.create({"id": "easel", "name": "Another"})
    assert again.value.code == "resource_already_exists"
    with pytest.raises(stripe.InvalidRequestError, match="Product already exists"):
        client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product_data": {"id": "easel", "name": "x"}})


def test_a_product_with_prices_cannot_be_deleted_and_its_default_must_be_its_own(client, product):
    mine = price(client, product)
    with pytest.raises(stripe.InvalidRequestError, match="one or more user-created prices"):
        client.v1.products.delete(product.id)
    assert client.v1.products.update(product.id, {"default_price": mine.id}).default_price == mine.id
    other = client.v1.products.create({"name": "Other"})
    with pytest.raises(stripe.InvalidRequestError, match="belongs to another") as refused:
        client.v1.products.update(other.id, {"default_price": mine.id})
    assert refused.value.param == "default_price"


def test_products_are_filtered_by_their_fields(client, product):
    retired = client.v1.products.create({"name": "Old", "active": False, "shippable": True, "url": "http://x.example"})
    listed = client.v1.products.list

    def ids(**filters):
        return [found.id for found in listed(filters).data]

    assert ids() == [retired.id, product.id]
    assert ids(active=True) == [product.id]
    assert ids(shippable=True) == ids(url="http://x.example") == ids(active=False) == [retired.id]
    assert ids(ids=[product.id]) == [product.id]
    assert ids(created={"gt": product.created + 1000}) == []
    assert [found.id for found in client.v1.products.search({"query": "metadata['sku']:'b1'"}).data] == [product.id]
    assert client.v1.products.list({"limit": 1}).has_more


def test_one_time_and_recurring_prices_have_different_fields_and_events(sandbox, client, product):
    once = price(client, product, nickname="single")
    monthly = price(client, product, recurring={"interval": "month", "interval_count": 3})
    assert (once.type, once.recurring, str(once.unit_amount_decimal)) == ("one_time", None, "1200")
    assert (monthly.type, monthly.recurring.interval_count, monthly.recurring.usage_type) == (
        "recurring",
        3,
        "licensed",
    )
    assert sandbox.event_types() == ["product.created", "price.created", "price.created", "plan.created"]
    plan = client.v1.plans.retrieve(monthly.id, {"expand": ["product"]})
    assert (plan.amount, plan.interval, plan.interval_count, plan.product.name) == (1200, "month", 3, "Brush")
    assert [found.id for found in client.v1.plans.list().data] == [monthly.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such plan"):
        client.v1.plans.retrieve(once.id)


def test_a_price_can_be_updated_but_its_amount_cannot(sandbox, client, product):
    monthly = price(client, product, recurring={"interval": "month"}, lookup_key="basic")
    changed = client.v1.prices.update(monthly.id, {"active": False, "nickname": "Basic", "metadata": {"a": "1"}})
    assert (changed.active, changed.nickname, changed.metadata["a"]) == (False, "Basic", "1")
    assert sandbox.event_types()[-2:] == ["price.updated", "plan.updated"]
    assert events(sandbox, "price.updated")[0].previous_attributes["active"] is True
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.prices.update(monthly.id, {"unit_amount": 5})
    assert unknown.value.code == "parameter_unknown"
    taxed = price(client, product, tax_behavior="inclusive")
    with pytest.raises(stripe.InvalidRequestError, match="cannot be changed"):
        client.v1.prices.update(taxed.id, {"tax_behavior": "exclusive"})
    assert client.v1.prices.update(monthly.id, {"tax_behavior": "exclusive"}).tax_behavior == "exclusive"


def test_a_lookup_key_belongs_to_one_price_and_can_be_transferred(client, product):
    first = price(client, product, lookup_key="basic")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        price(client, product, lookup_key="basic")
    second = price(client, product, lookup_key="basic", transfer_lookup_key=True)
    assert client.v1.prices.retrieve(first.id).lookup_key is None
    assert [found.id for found in client.v1.prices.list({"lookup_keys": ["basic", "none"]}).data] == [second.id]
    assert client.v1.prices.update(second.id, {"lookup_key": "basic"}).lookup_key == "basic"


def test_tiers_and_currency_options_are_shown_when_expanded(client, product):
    tiers = [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount_decimal": "62.5", "flat_amount": 50}]
    tiered = price(
        client, product, unit_amount=None, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers,
        recurring={"interval": "year"},
    )  # fmt: skip
    assert (tiered.unit_amount, tiered.tiers_mode, "tiers" in tiered) == (None, "graduated", False)
    shown = client.v1.prices.retrieve(tiered.id, {"expand": ["tiers"]}).tiers
    assert [(tier.up_to, tier.unit_amount, str(tier.unit_amount_decimal), tier.flat_amount) for tier in shown] == [
        (10, 100, "100", None),
        (None, None, "62.5", 50),
    ]
    assert len(client.v1.plans.retrieve(tiered.id, {"expand": ["tiers"]}).tiers) == 2
    sold_abroad = price(
        client, product, currency_options={"eur": {"unit_amount": 1100}}, expand=["currency_options", "product"]
    )
    assert {code: option["unit_amount"] for code, option in sold_abroad.currency_options.to_dict().items()} == {
        "usd": 1200,
        "eur": 1100,
    }
    client.v1.prices.update(sold_abroad.id, {"currency_options": {"gbp": {"unit_amount": 1000}}})
    [listed] = client.v1.prices.list({"limit": 1, "expand": ["data.currency_options", "data.tiers"]}).data
    assert sorted(listed.currency_options.to_dict()) == ["eur", "gbp", "usd"]


def test_a_price_with_a_custom_amount(client, product):
    free = price(client, product, unit_amount=None, custom_unit_amount={"enabled": True, "minimum": 100, "preset": 500})
    assert free.custom_unit_amount.to_dict() == {"maximum": None, "minimum": 100, "preset": 500}
    assert free.unit_amount is None


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"unit_amount": None}, None),
        ({"unit_amount_decimal": "3.5"}, "unit_amount"),
        ({"unit_amount": -1}, "unit_amount"),
        ({"billing_scheme": "tiered", "recurring": {"interval": "month"}}, "tiers"),
        ({"unit_amount": None, "billing_scheme": "tiered", "tiers_mode": "volume",
          "tiers": [{"up_to": "inf", "unit_amount": 5}]}, "interval"),
        ({"tiers_mode": "volume"}, "billing_scheme"),
        ({"recurring": {"interval": "year", "interval_count": 4}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "decade"}}, "recurring[interval]"),
        ({"recurring": {"interval": "month", "usage_type": "metered"}}, "recurring[usage_type]"),
        ({"product": "prod_none"}, "product"),
        ({"currency": "xyz"}, "currency"),
        ({"product_data": {"name": "Both"}}, "product"),
        ({"custom_unit_amount": {"enabled": True}, "unit_amount": None, "recurring": {"interval": "day"}},
         "custom_unit_amount"),
        ({"unit_amount": None, "billing_scheme": "tiered", "tiers_mode": "volume",
          "recurring": {"interval": "day"}, "tiers": [{"up_to": 5, "unit_amount": 1}]}, "tiers"),
        ({"unit_amount": None, "billing_scheme": "tiered", "tiers_mode": "volume",
          "recurring": {"interval": "day"}, "tiers": [{"up_to": "inf"}]}, "tiers[0][unit_amount]"),
    ],
)  # fmt: skip
def test_an_invalid_price_is_refused(client, product, changes, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        price(client, product, **changes)
    assert refused.value.param == param


def test_prices_are_filtered_by_their_fields(client, product):
    once = price(client, product, active=False)
    yearly = price(client, product, recurring={"interval": "year"}, currency="eur")

    def ids(**filters):
        return [found.id for found in client.v1.prices.list(filters).data]

    assert ids(product=product.id) == [yearly.id, once.id]
    assert ids(type="recurring") == ids(currency="eur") == ids(active=True) == [yearly.id]
    assert ids(recurring={"interval": "year"}) == [yearly.id]
    assert ids(recurring={"interval": "month"}) == []
    with pytest.raises(stripe.InvalidRequestError, match="No such product"):
        ids(product="prod_none")
    found = client.v1.prices.search({"query": f"product:'{product.id}' AND type:'one_time'"})
    assert [hit.id for hit in found.data] == [once.id]


def test_a_plan_is_a_price_that_can_be_deleted(sandbox, client, product):
    plan = client.v1.plans.create(
        {"id": "gold", "currency": "usd", "interval": "month", "amount": 500, "product": product.id}
    )
    assert (plan.id, str(plan.amount_decimal), plan.object) == ("gold", "500", "plan")
    assert client.v1.prices.retrieve("gold").recurring.interval == "month"
    changed = client.v1.plans.update("gold", {"nickname": "Gold", "trial_period_days": 7})
    assert (changed.nickname, changed.trial_period_days) == ("Gold", 7)
    assert client.v1.plans.delete("gold").deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such plan: 'gold'"):
        client.v1.plans.retrieve("gold")
    assert client.v1.plans.list({"product": product.id}).data == []
    assert sandbox.event_types() == [
        "product.created", "price.created", "plan.created", "price.updated", "plan.updated", "plan.deleted",
        "price.deleted",
    ]  # fmt: skip
    inline = client.v1.plans.create(
        {"currency": "usd", "interval": "day", "amount": 1, "product": {"name": "Inline"}, "expand": ["product"]}
    )
    assert inline.product.name == "Inline"
