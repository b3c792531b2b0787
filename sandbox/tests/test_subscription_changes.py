"""Changing subscriptions and their items: prorations, billing cycles, planned cancellations and undoing them."""

import pytest
import stripe

from sandbox.tests.billing_fixtures import DAY, FEBRUARY, HOUR, MARCH, START, Shop, previous

HALF = START + 31 * DAY // 2


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


def pending(shop, customer):
    found = shop.v1.invoice_items.list({"customer": customer.id, "pending": True}).data
    return {one.description: one.amount for one in found}


def item_of(subscription):
    return subscription["items"].data[0]


def test_a_price_change_is_prorated_by_the_second_on_the_next_invoice(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(1000))
    higher = shop.price(3000)
    shop.advance_to(HALF)
    before = shop.count()
    changed = shop.v1.subscriptions.update(made.id, {"items": [{"id": item_of(made).id, "price": higher.id}]})
    assert (item_of(changed).price.id, item_of(changed).id, changed.latest_invoice) == (
        higher.id,
        item_of(made).id,
        made.latest_invoice,
    )
    assert shop.events_since(before) == ["customer.subscription.updated", "invoiceitem.created", "invoiceitem.created"]
    assert pending(shop, customer) == {
        "Unused time on Studio after 31 Jan 2027": -500,
        "Remaining time on Studio after 31 Jan 2027": 1500,
    }
    changes = previous(shop.last("customer.subscription.updated"))
    assert list(changes) == ["items", "plan"]
    assert changes["items"]["data"][0]["price"]["unit_amount"] == 1000
    shop.advance_to(FEBRUARY + 2 * HOUR)
    renewed = shop.latest_invoice(made)
    assert (renewed.total, renewed.status, len(renewed.lines.data)) == (4000, "paid", 3)
    assert pending(shop, customer) == {}


def test_always_invoice_charges_the_difference_at_once(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(1000))
    higher = shop.price(3000)
    shop.advance_to(HALF)
    before = shop.count()
    changed = shop.v1.subscriptions.update(
        made.id,
        {"items": [{"id": item_of(made).id, "price": higher.id}], "proration_behavior": "always_invoice"},
    )
    invoice = shop.latest_invoice(made)
    assert changed.latest_invoice == invoice.id != made.latest_invoice
    assert (invoice.total, invoice.status, invoice.billing_reason) == (1000, "paid", "subscription_update")
    emitted = shop.events_since(before)
    assert emitted[:4] == [
        "customer.subscription.updated",
        "invoiceitem.created",
        "invoiceitem.created",
        "invoice.created",
    ]
    assert emitted.count("customer.subscription.updated") == 1
    assert set(previous(shop.last("customer.subscription.updated"))) == {"items", "latest_invoice", "plan"}


def test_without_proration_the_new_price_is_billed_from_the_next_period(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(1000))
    higher = shop.price(3000)
    shop.advance_to(HALF)
    shop.v1.subscriptions.update(
        made.id, {"items": [{"id": item_of(made).id, "price": higher.id}], "proration_behavior": "none"}
    )
    assert pending(shop, customer) == {}
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.latest_invoice(made).total == 3000


def test_a_lower_price_with_always_invoice_leaves_credit(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(3000))
    lower = shop.price(1000)
    shop.advance_to(HALF)
    shop.v1.subscriptions.update(
        made.id,
        {"items": [{"id": item_of(made).id, "price": lower.id}], "proration_behavior": "always_invoice"},
    )
    invoice = shop.latest_invoice(made)
    assert (invoice.total, invoice.amount_due, invoice.status) == (-1000, 0, "paid")
    assert shop.v1.customers.retrieve(customer.id).balance == -1000
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.v1.customers.retrieve(customer.id).balance == 0


def test_a_declined_difference_makes_it_past_due_or_refuses_the_change(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(1000))
    higher = shop.price(3000)
    shop.give_card(customer, "pm_card_chargeCustomerFail")
    change = {"items": [{"id": item_of(made).id, "price": higher.id}], "proration_behavior": "always_invoice"}
    before = shop.count()
    with pytest.raises(stripe.CardError):
        shop.v1.subscriptions.update(made.id, change | {"payment_behavior": "error_if_incomplete"})
    assert shop.events_since(before) == []
    assert item_of(shop.subscription(made)).price.unit_amount == 1000
    changed = shop.v1.subscriptions.update(made.id, change)
    assert (changed.status, item_of(changed).price.id) == ("past_due", higher.id)
    assert shop.latest_invoice(made).status == "open"
    assert previous(shop.last("customer.subscription.updated"))["status"] == "active"


def test_another_interval_begins_a_new_period_and_credits_the_old_one(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(1000))
    yearly = shop.price(9000, interval="year")
    shop.advance_to(HALF)
    changed = shop.v1.subscriptions.update(made.id, {"items": [{"id": item_of(made).id, "price": yearly.id}]})
    item = item_of(changed)
    assert changed.billing_cycle_anchor == item.current_period_start == HALF
    assert item.current_period_end == HALF + 365 * DAY
    assert shop.latest_invoice(made).total == 8500


def test_the_billing_cycle_anchor_can_be_moved_to_now(shop):
    made = shop.subscribe(shop.customer(), shop.price(1000))
    shop.advance_to(HALF)
    changed = shop.v1.subscriptions.update(made.id, {"billing_cycle_anchor": "now", "proration_behavior": "none"})
    assert changed.billing_cycle_anchor == HALF
    assert shop.latest_invoice(made).total == 1000


def test_a_trial_can_be_ended_now_or_started_again(shop):
    made = shop.subscribe(shop.customer(), trial_period_days=10)
    shop.advance_to(START + DAY)
    paid = shop.v1.subscriptions.update(made.id, {"trial_end": "now"})
    assert (paid.status, paid.trial_end, paid.billing_cycle_anchor) == ("active", START + DAY, START + DAY)
    invoice = shop.latest_invoice(made)
    assert (invoice.total, invoice.status, invoice.billing_reason) == (2000, "paid", "subscription_update")
    again = shop.v1.subscriptions.update(made.id, {"trial_end": START + 5 * DAY, "proration_behavior": "none"})
    assert (again.status, again.trial_end, item_of(again).current_period_end) == (
        "trialing",
        START + 5 * DAY,
        START + 5 * DAY,
    )
    shop.advance_to(START + 5 * DAY + 2 * HOUR)
    assert shop.subscription(made).status == "active"


def test_cancelling_at_the_period_end_can_be_undone_until_then(shop):
    made = shop.subscribe(shop.customer())
    shop.advance_to(START + DAY)
    planned = shop.v1.subscriptions.update(
        made.id, {"cancel_at_period_end": True, "cancellation_details": {"comment": "Moving"}}
    )
    assert (planned.status, planned.cancel_at, planned.canceled_at) == ("active", FEBRUARY, START + DAY)
    assert previous(shop.last("customer.subscription.updated")) == {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "reason": None},
    }
    kept = shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at, kept.cancellation_details.reason) == (None, None, None)
    assert previous(shop.last("customer.subscription.updated"))["cancel_at"] == FEBRUARY
    shop.advance_to(FEBRUARY)
    assert shop.subscription(made).status == "active"
    shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    before = shop.count()
    shop.advance_to(MARCH)
    ended = shop.subscription(made)
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", MARCH, FEBRUARY)
    assert "invoice.created" not in shop.events_since(before)
    assert shop.events_since(before).count("customer.subscription.deleted") == 1
    assert shop.last("customer.subscription.deleted").data.object["cancellation_details"]["reason"] == (
        "cancellation_requested"
    )


def test_a_cancellation_can_be_planned_for_any_future_time(shop):
    made = shop.subscribe(shop.customer(), cancel_at=START + 3 * DAY)
    assert (made.cancel_at, made.cancel_at_period_end) == (START + 3 * DAY, False)
    shop.advance_to(START + 3 * DAY)
    assert shop.subscription(made).status == "canceled"
    later = shop.subscribe(shop.customer(), cancel_at=START + 9 * DAY)
    assert shop.v1.subscriptions.update(later.id, {"cancel_at": ""}).cancel_at is None


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_with_paused_collection_invoices_are_created_but_not_charged(shop, behavior, status):
    made = shop.subscribe(shop.customer())
    paused = shop.v1.subscriptions.update(
        made.id, {"pause_collection": {"behavior": behavior, "resumes_at": FEBRUARY + 5 * DAY}}
    )
    assert (paused.status, paused.pause_collection.behavior) == ("active", behavior)
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.latest_invoice(made).status == status
    assert shop.subscription(made).status == "active"
    shop.advance_to(FEBRUARY + 5 * DAY)
    assert shop.subscription(made).pause_collection is None
    assert previous(shop.last("customer.subscription.updated"))["pause_collection"]["behavior"] == behavior
    shop.advance_to(MARCH + 2 * HOUR)
    assert shop.latest_invoice(made).status == "paid"


def test_metadata_description_method_and_discounts_can_be_updated(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, metadata={"a": "1", "b": "2"})
    other = shop.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    coupon = shop.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    changed = shop.v1.subscriptions.update(
        made.id,
        {
            "metadata": {"a": "", "c": "3"},
            "description": "Two rooms",
            "default_payment_method": other.id,
            "discounts": [{"coupon": coupon.id}],
        },
    )
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert previous(shop.last("customer.subscription.updated")) == {
        "default_payment_method": None,
        "description": None,
        "discounts": [],
        "metadata": {"a": "1", "c": None},
    }
    same = shop.count()
    shop.v1.subscriptions.update(made.id, {"description": "Two rooms"})
    assert shop.count() == same
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.latest_invoice(made).total == 1800
    assert shop.intent_of(made).payment_method == other.id
    cleared = shop.v1.subscriptions.update(made.id, {"discounts": ""})
    assert cleared.discounts == []
    assert "customer.discount.deleted" in shop.events_since(same)


def test_items_can_be_created_updated_and_deleted(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(1000))
    extra = shop.price(310)
    added = shop.v1.subscription_items.create({"subscription": made.id, "price": extra.id, "quantity": 2})
    assert (added.subscription, added.quantity, added.current_period_end) == (made.id, 2, FEBRUARY)
    assert pending(shop, customer) == {"Remaining time on 2 × Studio after 15 Jan 2027": 620}
    listed = shop.v1.subscription_items.list({"subscription": made.id})
    assert [one.id for one in listed.data] == [item_of(made).id, added.id]
    after = shop.v1.subscription_items.list({"subscription": made.id, "starting_after": item_of(made).id})
    assert [one.id for one in after.data] == [added.id]
    more = shop.v1.subscription_items.update(
        added.id, {"quantity": 3, "metadata": {"k": "v"}, "proration_behavior": "none"}
    )
    assert (more.quantity, more.metadata.to_dict()) == (3, {"k": "v"})
    assert shop.v1.subscription_items.retrieve(added.id, {"expand": ["price.product"]}).price.product.name == "Studio"
    assert shop.v1.subscription_items.delete(added.id, {"proration_behavior": "none"}).deleted is True
    for again in (shop.v1.subscription_items.retrieve, shop.v1.subscription_items.delete):
        with pytest.raises(stripe.InvalidRequestError, match="No such subscription_item"):
            again(added.id)
    assert shop.subscription(made)["items"].total_count == 1
    with pytest.raises(stripe.InvalidRequestError, match="at least one"):
        shop.v1.subscription_items.delete(item_of(made).id)


def test_removing_an_item_credits_its_unused_time(shop):
    customer = shop.customer()
    first, second = shop.price(1000), shop.price(3100)
    made = shop.v1.subscriptions.create({"customer": customer.id, "items": [{"price": first.id}, {"price": second.id}]})
    assert shop.latest_invoice(made).total == 4100
    shop.advance_to(START + 21 * DAY)
    shop.v1.subscriptions.update(made.id, {"items": [{"id": made["items"].data[1].id, "deleted": True}]})
    assert pending(shop, customer) == {"Unused time on Studio after 05 Feb 2027": -1000}


def test_a_proration_can_be_calculated_from_another_date_of_the_period(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(3100))
    change = {"items": [{"id": item_of(made).id, "quantity": 2}]}
    shop.v1.subscriptions.update(made.id, change | {"proration_date": START + 21 * DAY})
    assert sum(pending(shop, customer).values()) == 1000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscriptions.update(made.id, change | {"proration_date": FEBRUARY + 1})
    assert refused.value.param == "proration_date"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": [{"id": "si_x", "quantity": 2}]}, "No such subscription_item: 'si_x'"),
        ({"items": [{"quantity": 2}]}, "Missing required param: items\\[0\\]\\[price\\]"),
        ({"default_payment_method": "pm_x"}, "does not have a payment method"),
        ({"cancel_at": 7}, "future"),
        ({"cancel_at": "soon"}, "must be one of max_period_end, or min_period_end"),
        ({"trial_end": 7}, "future"),
        ({"billing_cycle_anchor": "tomorrow"}, "Invalid billing_cycle_anchor"),
        ({"billing_thresholds": {"amount_gte": 5}}, "does not act on"),
    ],
)
def test_invalid_changes_are_refused(shop, change, message):
    made = shop.subscribe(shop.customer())
    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.v1.subscriptions.update(made.id, change)


def test_an_unknown_subscription_is_not_found(shop):
    for call in (
        lambda: shop.v1.subscriptions.retrieve("sub_x"),
        lambda: shop.v1.subscriptions.update("sub_x", {"metadata": {"a": "b"}}),
        lambda: shop.v1.subscriptions.cancel("sub_x"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="No such subscription: 'sub_x'") as missing:
            call()
        assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
