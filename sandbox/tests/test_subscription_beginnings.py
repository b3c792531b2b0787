"""Backdated subscriptions, and pending updates that wait for their payment."""

import pytest
import stripe

from sandbox.tests.billing_fixtures import DAY, FEBRUARY, HOUR, START, Shop, previous

HALF = START + 31 * DAY // 2
# 15 December 2026, one month (31 days) before the clock's start.
DECEMBER = START - 31 * DAY


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


@pytest.fixture
def customer(shop):
    return shop.customer()


def item_of(subscription):
    return subscription["items"].data[0]


def amounts(shop, subscription):
    return [line.amount for line in shop.latest_invoice(subscription).lines.data]


def test_a_backdated_subscription_also_bills_the_time_until_now(shop, customer):
    made = shop.subscribe(customer, shop.price(3100), backdate_start_date=START - 10 * DAY)
    assert (made.start_date, made.created, made.billing_cycle_anchor) == (START - 10 * DAY, START, START)
    invoice = shop.latest_invoice(made)
    past, first = invoice.lines.data
    assert (past.amount, past.period.start, past.period.end) == (1000, START - 10 * DAY, START)
    assert past.parent.subscription_item_details.proration is True
    assert (first.amount, first.period.start, first.period.end) == (3100, START, FEBRUARY)
    assert (invoice.total, made.status) == (4100, "active")


def test_past_whole_periods_are_billed_in_full(shop, customer):
    made = shop.subscribe(customer, shop.price(3100), backdate_start_date=DECEMBER - 10 * DAY)
    # Ten of the 30 days of the period that began on 15 November, and one whole period.
    assert amounts(shop, made) == [1033 + 3100, 3100]


def test_a_backdated_subscription_with_a_later_anchor_bills_until_the_anchor(shop, customer):
    anchor = START + 10 * DAY
    made = shop.subscribe(customer, shop.price(3100), backdate_start_date=START - 5 * DAY, billing_cycle_anchor=anchor)
    (line,) = shop.latest_invoice(made).lines.data
    assert (line.period.start, line.period.end, line.amount) == (START - 5 * DAY, anchor, 1500)
    assert item_of(made).current_period_end == anchor


def test_backdating_without_proration_does_not_bill_the_past(shop, customer):
    terms = {"backdate_start_date": START - 5 * DAY, "proration_behavior": "none"}
    assert amounts(shop, shop.subscribe(customer, shop.price(3100), **terms)) == [3100]


def test_a_future_start_is_refused(shop, customer):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.subscribe(customer, backdate_start_date=START + 1)
    assert refused.value.param == "backdate_start_date"


@pytest.fixture
def refused_change(shop, customer):
    """A subscription with a pending update to a higher price, as its card was declined."""
    made = shop.subscribe(customer, shop.price(1000))
    shop.give_card(customer, "pm_card_chargeCustomerFail")
    shop.advance_to(HALF)
    change = {
        "items": [{"id": item_of(made).id, "price": shop.price(3000).id, "quantity": 2}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
    }
    return made, shop.v1.subscriptions.update(made.id, change)


def test_an_unpaid_change_is_pending(shop, refused_change):
    made, changed = refused_change
    assert (changed.status, item_of(changed).price.unit_amount, item_of(changed).quantity) == ("active", 1000, 1)
    update = changed.pending_update
    assert update.expires_at == HALF + 23 * HOUR
    item = update.subscription_items[0]
    assert (item.price.unit_amount, item.quantity, item.id) == (3000, 2, item_of(made).id)
    invoice = shop.latest_invoice(changed)
    assert (invoice.id == made.latest_invoice, invoice.status, invoice.amount_due) == (False, "open", 2500)
    assert set(previous(shop.last("customer.subscription.updated"))) == {"latest_invoice", "pending_update"}


def test_paying_applies_the_pending_change(shop, customer, refused_change):
    made, changed = refused_change
    before = shop.count()
    shop.v1.invoices.pay(changed.latest_invoice, {"payment_method": "pm_card_visa"})
    applied = shop.subscription(made)
    assert (item_of(applied).price.unit_amount, item_of(applied).quantity) == (3000, 2)
    assert (applied.pending_update, applied.status) == (None, "active")
    emitted = shop.events_since(before)
    assert emitted[-2:] == ["customer.subscription.updated", "customer.subscription.pending_update_applied"]
    assert set(previous(shop.last("customer.subscription.updated"))) >= {"items", "pending_update"}
    shop.give_card(customer, "pm_card_visa")
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.latest_invoice(made).total == 6000


@pytest.mark.parametrize("how", ["expires", "voided"])
def test_a_change_that_is_never_paid_expires(shop, refused_change, how):
    made, changed = refused_change
    before = shop.count()
    if how == "voided":
        shop.v1.invoices.void_invoice(changed.latest_invoice)
    else:
        shop.advance_to(HALF + 23 * HOUR)
    expired = shop.subscription(made)
    assert (expired.pending_update, expired.status, item_of(expired).price.unit_amount) == (None, "active", 1000)
    assert shop.v1.invoices.retrieve(changed.latest_invoice).status == "void"
    assert "customer.subscription.pending_update_expired" in shop.events_since(before)


def test_a_paid_change_is_applied_at_once(shop, customer):
    made = shop.subscribe(customer, shop.price(1000))
    change = {
        "items": [{"id": item_of(made).id, "price": shop.price(3000).id}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
    }
    changed = shop.v1.subscriptions.update(made.id, change)
    assert (item_of(changed).price.unit_amount, changed.pending_update) == (3000, None)


def test_only_changes_that_are_billed_can_be_pending(shop, customer):
    made = shop.subscribe(customer)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscriptions.update(made.id, {"description": "Clay", "payment_behavior": "pending_if_incomplete"})
    assert refused.value.param == "description"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.subscribe(shop.customer(), payment_behavior="pending_if_incomplete")
    assert refused.value.param == "payment_behavior"
