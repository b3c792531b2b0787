"""Subscriptions and invoices: behaviour taken from recorded traffic of Stripe."""

import pytest
import stripe

from sandbox.tests.billing_fixtures import DAY, FEBRUARY, HOUR, START, Shop

HALF = START + 31 * DAY // 2
ACTION = "pm_card_threeDSecure2Required"


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


@pytest.fixture
def customer(shop):
    return shop.customer()


def item_of(subscription):
    return subscription["items"].data[0]


def dearer(shop, made, amount=3000, **terms):
    price = shop.price(amount)
    return shop.v1.subscriptions.update(made.id, {"items": [{"id": item_of(made).id, "price": price.id}], **terms})


def lines_of(sandbox, invoice):
    return sandbox.get(f"/v1/invoices/{invoice}").json()["lines"]["data"]


def test_lines_have_their_subscription_only_in_their_parent(sandbox, shop, customer):
    made = shop.subscribe(customer)
    (line,) = lines_of(sandbox, made.latest_invoice)
    assert "subscription" not in line
    assert line["parent"]["subscription_item_details"]["subscription"] == made.id


def test_prorations_belong_to_their_subscription_item_and_list_credited_items(sandbox, shop, customer):
    made = shop.subscribe(customer, shop.price(1000))
    (first,) = lines_of(sandbox, made.latest_invoice)
    shop.advance_to(HALF)
    changed = dearer(shop, made, proration_behavior="always_invoice")
    debit, credit = lines_of(sandbox, changed.latest_invoice)
    for line, amount in ((credit, -500), (debit, 1500)):
        parent = line["parent"]
        details = parent["subscription_item_details"]
        assert (line["amount"], parent["type"]) == (amount, "subscription_item_details")
        assert parent["invoice_item_details"] is None
        assert details["invoice_item"].startswith("ii_")
        assert (details["proration"], details["subscription"], details["subscription_item"]) == (
            True,
            made.id,
            item_of(made).id,
        )
        assert line["pricing"]["unit_amount_decimal"] is None
    credited = {"invoice": made.latest_invoice, "invoice_line_items": [first["id"]]}
    assert credit["parent"]["subscription_item_details"]["proration_details"] == {"credited_items": credited}
    assert debit["parent"]["subscription_item_details"]["proration_details"] == {"credited_items": None}
    items = shop.v1.invoice_items.list({"customer": customer.id}).data
    assert items[1].proration_details.credited_items.to_dict() == {
        "invoice_item": None, "invoice_line_item_details": credited, "type": "invoice_line_items",
    }  # fmt: skip


def test_an_unbilled_proration_is_credited_by_its_pending_item(sandbox, shop, customer):
    made = shop.subscribe(customer, shop.price(1000))
    shop.advance_to(HALF)
    dearer(shop, made)
    again = dearer(shop, made, 5000)
    waiting = shop.v1.invoice_items.list({"customer": customer.id, "pending": True}).data
    last_credit, last_debit = waiting[1], waiting[2]
    assert last_credit.proration_details.credited_items.to_dict() == {
        "invoice_item": last_debit.id, "invoice_line_item_details": None, "type": "invoice_item",
    }  # fmt: skip
    shop.advance_to(FEBRUARY + 2 * HOUR)
    invoice = shop.subscription(again).latest_invoice
    by_item = {line["parent"]["subscription_item_details"]["invoice_item"]: line for line in lines_of(sandbox, invoice)}
    credit = by_item[last_credit.id]["parent"]["subscription_item_details"]["proration_details"]["credited_items"]
    assert credit == {"invoice": invoice, "invoice_line_items": [by_item[last_debit.id]["id"]]}


def test_a_charged_first_invoice_counts_its_attempt(shop, customer):
    made = shop.subscribe(customer)
    assert shop.latest_invoice(made).attempt_count == 1
    changed = dearer(shop, made, proration_behavior="always_invoice")
    assert shop.latest_invoice(changed).attempt_count == 1


def test_requiring_authentication_does_not_count_as_an_attempt(shop):
    made = shop.subscribe(shop.customer(card=ACTION))
    invoice = shop.latest_invoice(made)
    assert (made.status, invoice.status) == ("incomplete", "open")
    assert (invoice.attempt_count, invoice.attempted, invoice.auto_advance) == (0, True, True)


def test_a_declined_first_invoice_counts_one_attempt(shop):
    made = shop.subscribe(shop.customer(card="pm_card_chargeCustomerFail"))
    assert shop.latest_invoice(made).attempt_count == 1


def test_intents_of_updates_have_setup_future_usage(shop, customer):
    made = shop.subscribe(customer)
    shop.advance_to(HALF)
    changed = dearer(shop, made, proration_behavior="always_invoice")
    assert shop.intent_of(changed).setup_future_usage == "off_session"


@pytest.mark.parametrize("planned", [{"cancel_at_period_end": True}, {"cancel_at": START + 9 * DAY}])
def test_cancelling_immediately_clears_a_planned_end(shop, customer, planned):
    made = shop.subscribe(customer)
    shop.v1.subscriptions.update(made.id, planned)
    ended = shop.v1.subscriptions.cancel(made.id)
    assert (ended.cancel_at, ended.cancel_at_period_end, ended.status) == (None, False, "canceled")


def test_a_planned_end_is_still_shown_after_it_was_reached(shop, customer):
    made = shop.subscribe(customer)
    shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    shop.advance_to(FEBRUARY + HOUR)
    ended = shop.subscription(made)
    assert (ended.status, ended.cancel_at_period_end, ended.cancel_at) == ("canceled", True, FEBRUARY)


def test_the_preview_for_a_customer_is_of_the_next_renewal(shop, customer):
    later = shop.subscribe(customer, shop.price(9000, interval="year"))
    sooner = shop.subscribe(customer, shop.price(1000))
    preview = shop.v1.invoices.create_preview({"customer": customer.id})
    assert (preview.total, preview.parent.subscription_details.subscription) == (1000, sooner.id)
    with_more = {"customer": customer.id, "invoice_items": [{"amount": 300, "currency": "usd"}]}
    preview = shop.v1.invoices.create_preview(with_more)
    assert [line.amount for line in preview.lines.data] == [300, 1000]
    shop.v1.subscriptions.cancel(sooner.id)
    preview = shop.v1.invoices.create_preview({"customer": customer.id})
    assert preview.parent.subscription_details.subscription == later.id
    shop.v1.subscriptions.update(later.id, {"cancel_at_period_end": True})
    for parameters in ({"customer": customer.id}, {"subscription": later.id}):
        with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices") as nothing:
            shop.v1.invoices.create_preview(parameters)
        assert nothing.value.code == "invoice_upcoming_none"


def test_a_preview_lists_pending_items_before_the_subscription(shop, customer):
    made = shop.subscribe(customer, shop.price(1000))
    shop.advance_to(HALF)
    price = shop.price(3000)
    change = {"items": [{"id": item_of(made).id, "price": price.id}]}
    preview = shop.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    assert [line.amount for line in preview.lines.data] == [1500, -500, 3000]
    assert preview.lines.data[0].parent.subscription_item_details.proration is True


def test_a_preview_of_cancelling_now_credits_unused_time(shop, customer):
    made = shop.subscribe(customer, shop.price(1000))
    shop.advance_to(HALF)
    preview = shop.v1.invoices.create_preview({"subscription": made.id, "subscription_details": {"cancel_now": True}})
    assert [line.amount for line in preview.lines.data] == [-500]
    assert shop.subscription(made).status == "active"


def test_a_trial_ended_by_an_update_pauses_without_a_payment_method(shop):
    pausing = {"trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}, "trial_period_days": 7}
    made = shop.subscribe(shop.customer(card=None), **pausing)
    before = shop.count()
    paused = shop.v1.subscriptions.update(made.id, {"trial_end": "now"})
    assert (paused.status, paused.latest_invoice) == ("paused", made.latest_invoice)
    assert shop.events_since(before) == ["customer.subscription.updated", "customer.subscription.paused"]
    cancelling = {"trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}, "trial_period_days": 7}
    other = shop.subscribe(shop.customer(card=None), **cancelling)
    assert shop.v1.subscriptions.update(other.id, {"trial_end": "now"}).status == "canceled"


@pytest.mark.parametrize("named", ["plan", "price"])
def test_an_item_may_name_its_plan(shop, customer, named):
    price, higher = shop.price(1000), shop.price(3000)
    made = shop.v1.subscriptions.create({"customer": customer.id, "items": [{named: price.id}]})
    assert item_of(made).price.id == price.id
    changed = shop.v1.subscriptions.update(made.id, {"items": [{"id": item_of(made).id, named: higher.id}]})
    assert item_of(changed).price.id == higher.id
    added = shop.v1.subscription_items.create({"subscription": made.id, named: price.id})
    assert added.plan.id == price.id
    preview = {"customer": customer.id, "subscription_details": {"items": [{named: higher.id}]}}
    assert shop.v1.invoices.create_preview(preview).total == 3000
    with pytest.raises(stripe.InvalidRequestError) as missing:
        shop.v1.subscription_items.update(added.id, {named: "price_none"})
    assert (missing.value.code, missing.value.param) == ("resource_missing", named)
