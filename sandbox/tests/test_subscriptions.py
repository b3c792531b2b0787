"""Creating subscriptions, their first payments, reading and listing them, and ending them."""

import pytest
import stripe

from sandbox.tests.billing_fixtures import DAY, FEBRUARY, HOUR, START, Shop, previous
from sandbox.tests.connected import enabled


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


def test_paying_the_first_invoice_activates_a_subscription_with_events_in_stripes_order(shop):
    customer = shop.customer()
    price = shop.price()
    before = shop.count()
    made = shop.subscribe(customer, price, metadata={"order": "7"})
    assert made.status == "active"
    assert shop.events_since(before) == [
        "customer.updated",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    created = shop.last("customer.subscription.created").data.object
    assert (created["status"], created["latest_invoice"]) == ("active", made.latest_invoice)
    item = made["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (START, FEBRUARY)
    assert (made.created, made.start_date, made.billing_cycle_anchor) == (START, START, START)
    assert (made.test_clock, made.billing_mode.type, made["items"].total_count) == (shop.clock.id, "flexible", 1)
    assert (item.plan.id, item.plan.amount, item.price.product) == (price.id, 2000, shop.product.id)
    invoice = shop.latest_invoice(made)
    assert (invoice.billing_reason, invoice.status, invoice.total, invoice.auto_advance) == (
        "subscription_create",
        "paid",
        2000,
        False,
    )
    assert invoice.parent.subscription_details.subscription == made.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"order": "7"}
    line = invoice.lines.data[0]
    assert (line.amount, line.period.start, line.period.end) == (2000, START, FEBRUARY)
    assert line.metadata.to_dict() == {"order": "7"}
    assert line.parent.subscription_item_details.subscription_item == item.id
    intent = shop.intent_of(made)
    assert (intent.status, intent.capture_method, intent.setup_future_usage) == (
        "succeeded",
        "automatic",
        "off_session",
    )
    assert intent.metadata.to_dict() == {}
    shop.sandbox.advance(5)
    assert shop.sandbox.event_types()[-1] == "invoice_payment.paid"


def test_without_a_payment_method_nothing_is_created(shop):
    customer, price = shop.customer(card=None), shop.price()
    before = shop.count()
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source") as refused:
        shop.subscribe(customer, price)
    assert refused.value.code == "resource_missing"
    assert shop.events_since(before) == []
    assert shop.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []


def test_a_declined_first_payment_leaves_it_incomplete_until_it_is_paid(shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    price = shop.price()
    before = shop.count()
    made = shop.subscribe(customer, price)
    assert made.status == "incomplete"
    assert shop.events_since(before) == [
        "customer.updated",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "invoice.updated",
    ]
    assert shop.last("customer.subscription.created").data.object["status"] == "incomplete"
    before = shop.count()
    good = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    shop.v1.invoices.pay(made.latest_invoice, {"payment_method": good.id})
    assert shop.subscription(made).status == "active"
    changed = shop.last("customer.subscription.updated")
    assert previous(changed) == {"status": "incomplete"}
    assert shop.events_since(before)[-3:] == [
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]


def test_error_if_incomplete_refuses_and_creates_nothing(shop):
    customer, price = shop.customer("pm_card_chargeCustomerFail"), shop.price()
    before = shop.count()
    with pytest.raises(stripe.CardError) as declined:
        shop.subscribe(customer, price, payment_behavior="error_if_incomplete")
    assert declined.value.code == "card_declined"
    assert shop.events_since(before) == []
    assert shop.v1.subscriptions.list({"status": "all", "customer": customer.id}).data == []


def test_default_incomplete_becomes_active_when_the_intent_is_confirmed(shop):
    customer, price = shop.customer(card=None), shop.price()
    before = shop.count()
    made = shop.subscribe(
        customer,
        price,
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret", "pending_setup_intent"],
    )
    assert (made.status, made.latest_invoice.status, made.pending_setup_intent) == ("incomplete", "open", None)
    assert shop.events_since(before)[1:] == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
    ]
    intent = shop.intent_of(made)
    assert made.latest_invoice.confirmation_secret.client_secret == intent.client_secret
    before = shop.count()
    shop.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    emitted = shop.events_since(before)
    assert [name for name in emitted if name.startswith(("invoice.", "customer.subscription"))] == [
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]
    now = shop.subscription(made)
    assert now.status == "active"
    assert now.default_payment_method == shop.v1.payment_intents.retrieve(intent.id).payment_method
    assert previous(shop.last("customer.subscription.updated")) == {
        "default_payment_method": None,
        "status": "incomplete",
    }


def test_a_card_that_requires_authentication_leaves_it_incomplete_until_then(shop):
    customer = shop.customer("pm_card_threeDSecure2Required")
    made = shop.subscribe(customer)
    assert made.status == "incomplete"
    intent = shop.intent_of(made)
    assert intent.status == "requires_action"
    assert "invoice.payment_action_required" in shop.events_since(0)
    shop.sandbox.post(f"/3ds/{intent.id}", outcome="pass")
    assert shop.subscription(made).status == "active"
    assert shop.latest_invoice(made).status == "paid"


def test_it_expires_after_23_hours_without_payment_and_its_invoice_is_voided(shop):
    made = shop.subscribe(shop.customer("pm_card_chargeCustomerFail"))
    shop.advance_to(START + 23 * HOUR - 1)
    assert shop.subscription(made).status == "incomplete"
    before = shop.count()
    shop.advance_to(START + 23 * HOUR)
    expired = shop.subscription(made)
    assert (expired.status, expired.ended_at) == ("incomplete_expired", START + 23 * HOUR)
    assert shop.latest_invoice(made).status == "void"
    emitted = shop.events_since(before)
    assert emitted.index("customer.subscription.updated") < emitted.index("invoice.voided")
    assert previous(shop.last("customer.subscription.updated")) == {"ended_at": None, "status": "incomplete"}
    assert shop.intent_of(made).status == "canceled"


def test_a_trial_is_free_its_end_is_announced_and_then_it_is_paid(shop):
    customer, price = shop.customer(), shop.price()
    made = shop.subscribe(customer, price, trial_period_days=14)
    end = START + 14 * DAY
    assert (made.status, made.trial_start, made.trial_end) == ("trialing", START, end)
    assert (made.billing_cycle_anchor, made["items"].data[0].current_period_end) == (end, end)
    invoice = shop.latest_invoice(made, "payments")
    assert (invoice.status, invoice.total, invoice.lines.data[0].amount) == ("paid", 0, 0)
    assert invoice.payments.data == []
    assert not [name for name in shop.events_since(0) if name.startswith("payment_intent")]
    shop.advance_to(end - 3 * DAY - 1)
    assert "customer.subscription.trial_will_end" not in shop.events_since(0)
    shop.advance_to(end - 3 * DAY)
    assert shop.events_since(0).count("customer.subscription.trial_will_end") == 1
    shop.advance_to(end + 2 * HOUR)
    now = shop.subscription(made)
    paid = shop.latest_invoice(made)
    assert now.status == "active"
    assert (paid.status, paid.total, paid.billing_reason) == ("paid", 2000, "subscription_cycle")
    assert previous(shop.last("customer.subscription.updated"))["status"] == "trialing"


def test_a_short_trial_is_announced_at_once(shop):
    shop.subscribe(shop.customer(), trial_end=START + DAY)
    assert shop.events_since(0)[-1] == "customer.subscription.trial_will_end"


@pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_a_trial_without_a_payment_method_ends_as_its_settings_say(shop, behavior, status):
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    made = shop.subscribe(shop.customer(card=None), trial_period_days=7, trial_settings=settings)
    assert made.status == "trialing"
    shop.advance_to(START + 7 * DAY)
    assert shop.subscription(made).status == status
    assert shop.events_since(0)[-2] == f"customer.subscription.{'paused' if status == 'paused' else 'deleted'}"


def test_a_paused_subscription_resumes_when_its_invoice_is_paid(shop):
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    customer = shop.customer(card=None)
    made = shop.subscribe(customer, trial_period_days=7, trial_settings=settings)
    shop.advance_to(START + 8 * DAY)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        shop.v1.subscriptions.resume(made.id, {"billing_cycle_anchor": "now"})
    shop.give_card(customer, "pm_card_visa")
    resumed = shop.v1.subscriptions.resume(made.id, {"billing_cycle_anchor": "now"})
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", START + 8 * DAY)
    assert shop.events_since(0)[-1] == "customer.subscription.resumed"
    with pytest.raises(stripe.InvalidRequestError, match="paused"):
        shop.v1.subscriptions.resume(made.id)


def test_a_setup_intent_collects_the_method_when_nothing_is_due_yet(shop):
    customer = shop.customer(card=None)
    made = shop.subscribe(
        customer, trial_period_days=7, payment_behavior="default_incomplete", expand=["pending_setup_intent"]
    )
    assert (made.status, made.pending_setup_intent.status) == ("trialing", "requires_payment_method")
    shop.v1.setup_intents.confirm(made.pending_setup_intent.id, {"payment_method": "pm_card_visa"})
    now = shop.subscription(made)
    assert (now.pending_setup_intent, bool(now.default_payment_method)) == (None, True)


def test_with_send_invoice_it_is_active_at_once_and_the_invoice_sent_after_an_hour(shop):
    customer = shop.customer(card=None)
    made = shop.subscribe(customer, collection_method="send_invoice", days_until_due=10)
    assert (made.status, made.days_until_due) == ("active", 10)
    assert shop.latest_invoice(made).status == "draft"
    shop.advance_to(START + HOUR)
    sent = shop.latest_invoice(made)
    assert (sent.status, sent.due_date) == ("open", START + HOUR + 10 * DAY)
    assert shop.events_since(0)[-2] == "invoice.sent"
    shop.advance_to(START + 11 * DAY)
    assert shop.subscription(made).status == "past_due"
    shop.v1.invoices.pay(sent.id, {"paid_out_of_band": True})
    assert shop.subscription(made).status == "active"


def test_a_later_anchor_prorates_the_time_until_then(shop):
    anchor = START + 10 * DAY
    made = shop.subscribe(shop.customer(), shop.price(3100), billing_cycle_anchor=anchor)
    item = made["items"].data[0]
    assert (item.current_period_start, item.current_period_end, made.billing_cycle_anchor) == (START, anchor, anchor)
    # The month before the anchor has 31 days, of which ten are left.
    assert shop.latest_invoice(made).total == 1000
    free = shop.subscribe(shop.customer(), billing_cycle_anchor=anchor, proration_behavior="none")
    assert (free.status, shop.latest_invoice(free).total) == ("active", 0)


def test_a_coupon_applies_once_or_forever(shop):
    once = shop.v1.coupons.create({"percent_off": 50, "duration": "once"})
    forever = shop.v1.coupons.create({"amount_off": 500, "currency": "usd", "duration": "forever"})
    made = shop.subscribe(shop.customer(), discounts=[{"coupon": once.id}])
    assert (shop.latest_invoice(made).total, made.discounts) == (1000, [])
    kept = shop.subscribe(shop.customer(), discounts=[{"coupon": forever.id}], expand=["discounts"])
    assert kept.discounts[0].source.coupon == forever.id
    assert shop.latest_invoice(kept).total == 1500
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert (shop.latest_invoice(made).total, shop.latest_invoice(kept).total) == (2000, 1500)
    removed = shop.v1.subscriptions.delete_discount(kept.id)
    assert removed.deleted is True
    assert shop.subscription(kept).discounts == []
    with pytest.raises(stripe.InvalidRequestError, match="No active discount"):
        shop.v1.subscriptions.delete_discount(kept.id)


def test_tax_rates_and_extra_prices_are_on_the_first_invoice(shop):
    rate = shop.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    fee = shop.v1.prices.create({"product": shop.product.id, "currency": "usd", "unit_amount": 700})
    made = shop.subscribe(
        shop.customer(), default_tax_rates=[rate.id], add_invoice_items=[{"price": fee.id, "quantity": 2}]
    )
    assert made.default_tax_rates[0].id == rate.id
    assert shop.latest_invoice(made).total == 4080
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.latest_invoice(made).total == 2400


def test_cancelling_ends_it_at_once_and_cannot_be_undone(shop):
    made = shop.subscribe(shop.customer())
    before = shop.count()
    ended = shop.v1.subscriptions.cancel(
        made.id, {"cancellation_details": {"comment": "Too loud", "feedback": "too_complex"}}
    )
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", START, START)
    assert ended.cancellation_details.to_dict() == {
        "comment": "Too loud",
        "feedback": "too_complex",
        "reason": "cancellation_requested",
    }
    assert shop.events_since(before) == ["customer.subscription.deleted"]
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        shop.v1.subscriptions.cancel(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription can only update"):
        shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert shop.v1.subscriptions.update(made.id, {"metadata": {"a": "b"}}).metadata.to_dict() == {"a": "b"}
    shop.advance_to(FEBRUARY + DAY)
    assert not [name for name in shop.events_since(before) if name == "invoice.created"]


def test_cancelling_with_proration_and_invoice_credits_unused_time(shop):
    customer = shop.customer()
    made = shop.subscribe(customer, shop.price(3100))
    shop.advance_to(START + 21 * DAY)
    shop.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    last = shop.v1.invoices.list({"customer": customer.id}).data[0]
    assert (last.total, last.status) == (-1000, "paid")
    assert shop.v1.customers.retrieve(customer.id).balance == -1000


def test_deleting_a_customer_or_the_clock_ends_the_subscriptions(shop):
    customer = shop.customer()
    made = shop.subscribe(customer)
    shop.v1.customers.delete(customer.id)
    assert shop.subscription(made).status == "canceled"
    other = shop.subscribe(shop.customer())
    shop.v1.test_helpers.test_clocks.delete(shop.clock.id)
    assert shop.subscription(other).status == "canceled"


def test_lists_omit_canceled_subscriptions_and_those_of_clocks_by_default(shop):
    customer = shop.customer()
    monthly, yearly = shop.price(), shop.price(interval="year")
    first, second, third = (shop.subscribe(customer, price) for price in (monthly, yearly, monthly))
    shop.v1.subscriptions.cancel(third.id)
    elsewhere = shop.v1.customers.create()
    shop.give_card(elsewhere, "pm_card_visa")
    own = shop.subscribe(elsewhere, monthly)

    def listed(**filters):
        return [one.id for one in shop.v1.subscriptions.list(filters).data]

    assert listed() == [own.id]
    assert listed(customer=customer.id) == [second.id, first.id]
    assert listed(test_clock=shop.clock.id, status="all") == [third.id, second.id, first.id]
    assert listed(customer=customer.id, status="canceled") == [third.id]
    assert listed(customer=customer.id, status="ended") == [third.id]
    assert listed(customer=customer.id, status="active") == [second.id, first.id]
    assert listed(customer=customer.id, price=yearly.id) == [second.id]
    assert listed(customer=customer.id, collection_method="send_invoice") == []
    assert listed(customer=customer.id, current_period_end={"gt": FEBRUARY}) == [second.id]
    assert listed(customer=customer.id, current_period_end=FEBRUARY) == [first.id]
    assert listed(customer=customer.id, current_period_start={"lt": START}) == []
    assert listed(customer=customer.id, created={"gte": START}, limit=1) == [second.id]
    of_customer = shop.v1.customers.retrieve(customer.id, {"expand": ["subscriptions"]}).subscriptions
    assert [one.id for one in of_customer.data] == [second.id, first.id]
    found = shop.v1.subscriptions.search({"query": 'status:"canceled"'}).data
    assert [one.id for one in found] == [third.id]


def test_references_can_be_expanded(shop):
    made = shop.subscribe(shop.customer())
    method = shop.v1.payment_methods.list({"customer": made.customer}).data[0]
    shop.v1.subscriptions.update(made.id, {"default_payment_method": method.id})
    paths = ["customer", "default_payment_method", "latest_invoice", "test_clock", "items.data.price.product"]
    full = shop.subscription(made, expand=paths)
    assert full.customer.object == "customer"
    assert (full.default_payment_method.id, full.latest_invoice.status) == (method.id, "paid")
    assert full.test_clock.frozen_time == START
    assert full["items"].data[0].price.product.name == "Studio"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": []}, "Missing required param: items"),
        ({"items": [{"quantity": 1}]}, "Missing required param: items\\[0\\]\\[price\\]"),
        ({"items": [{"price": "price_x"}]}, "No such price: 'price_x'"),
        ({"customer": "cus_x"}, "No such customer: 'cus_x'"),
        ({"trial_end": 5}, "future"),
        ({"trial_end": 2**40}, "five years"),
        ({"cancel_at": 5}, "future"),
        ({"billing_cycle_anchor": 5}, "future"),
        ({"default_payment_method": "pm_x"}, "does not have a payment method"),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"days_until_due": 5}, "days_until_due"),
        ({"payment_behavior": "pending_if_incomplete"}, "for changes of a subscription that exists"),
        ({"backdate_start_date": 2**33}, "must not be in the future"),
        ({"colour": "red"}, "unknown parameter"),
        ({"trial_period_days": 5, "trial_end": START + DAY}, "only set one of"),
        ({"cancel_at": START + DAY, "cancel_at_period_end": True}, "only specify one of"),
        ({"discounts": [{"coupon": "nothing"}]}, "No such coupon"),
        ({"default_tax_rates": ["txr_x"]}, "No such tax"),
        ({"currency": "eur"}, "expected currency"),
    ],
)
def test_invalid_subscriptions_are_refused(shop, changes, message):
    parameters = {"customer": shop.customer().id, "items": [{"price": shop.price().id}], **changes}
    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.v1.subscriptions.create(parameters)


def test_prices_that_cannot_be_subscribed_to_are_refused(shop):
    customer, price = shop.customer(), shop.price()
    once = shop.v1.prices.create({"product": shop.product.id, "currency": "usd", "unit_amount": 700})
    gone = shop.price()
    shop.v1.prices.update(gone.id, {"active": False})
    euros = shop.v1.prices.create(
        {"product": shop.product.id, "currency": "eur", "unit_amount": 700, "recurring": {"interval": "month"}}
    )
    for items, message in (
        ([{"price": once.id}], "type=one_time"),
        ([{"price": gone.id}], "inactive"),
        ([{"price": price.id}, {"price": price.id}], "same plan"),
        ([{"price": price.id}, {"price": euros.id}], "expected currency"),
        ([{"price": price.id, "quantity": -1}], "greater than or equal to 0"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            shop.v1.subscriptions.create({"customer": customer.id, "items": items})


def test_a_price_can_be_created_with_the_subscription(shop):
    data = {
        "currency": "usd",
        "product": shop.product.id,
        "unit_amount": 900,
        "recurring": {"interval": "week", "interval_count": 2},
    }
    made = shop.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": [{"price_data": data, "quantity": 3}]}
    )
    item = made["items"].data[0]
    assert (item.quantity, item.price.unit_amount, item.current_period_end) == (3, 900, START + 14 * DAY)
    assert shop.latest_invoice(made).total == 2700


def test_schedules_are_an_empty_list(client):
    assert client.v1.subscription_schedules.list().data == []


def test_the_anchor_can_be_a_day_of_the_month(shop):
    made = shop.subscribe(shop.customer(), billing_cycle_anchor_config={"day_of_month": 1, "hour": 0, "minute": 0})
    first_of_february = START + 17 * DAY - 12 * HOUR
    assert made.billing_cycle_anchor == made["items"].data[0].current_period_end == first_of_february
    assert made.billing_cycle_anchor_config.day_of_month == 1
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 31"):
        shop.subscribe(shop.customer(), billing_cycle_anchor_config={"day_of_month": 32})


def test_a_price_can_include_a_trial(shop):
    price = shop.price(recurring={"trial_period_days": 5})
    assert shop.subscribe(shop.customer(), price).status == "active"
    made = shop.subscribe(shop.customer(), price, trial_from_plan=True)
    assert (made.status, made.trial_end) == ("trialing", START + 5 * DAY)


def test_items_show_the_current_price_object(shop):
    price = shop.price()
    made = shop.subscribe(shop.customer(), price)
    shop.v1.prices.update(price.id, {"nickname": "Evenings"})
    assert shop.subscription(made)["items"].data[0].price.nickname == "Evenings"


def test_every_invoice_is_shared_with_a_connected_account(sandbox, client, shop):
    account = enabled(sandbox, client)
    made = shop.subscribe(shop.customer(), transfer_data={"destination": account.id}, application_fee_percent=12.5)
    assert (made.transfer_data.destination, made.application_fee_percent) == (account.id, 12.5)
    intent = shop.intent_of(made)
    assert (intent.transfer_data.destination, intent.application_fee_amount) == (account.id, 250)
    shop.advance_to(FEBRUARY + 2 * HOUR)
    assert shop.intent_of(made).application_fee_amount == 250
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        shop.subscribe(shop.customer(), transfer_data={"destination": "acct_x"})
    with pytest.raises(stripe.InvalidRequestError, match="between 0 and 100"):
        shop.subscribe(shop.customer(), application_fee_percent=101)
