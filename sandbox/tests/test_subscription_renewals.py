"""Renewals of subscriptions, their retries after declines and their end; with a test clock and without one."""

import pytest

from sandbox.tests.billing_fixtures import APRIL, DAY, FEBRUARY, HOUR, MARCH, START, Shop, previous
from sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture
def shop(sandbox, client):
    return Shop(sandbox, client)


def test_a_period_ends_with_a_draft_that_is_charged_an_hour_later(shop):
    made = shop.subscribe(shop.customer())
    first = made.latest_invoice
    shop.sandbox.advance(5)
    before = shop.count()
    shop.advance_to(FEBRUARY)
    renewed = shop.subscription(made)
    item = renewed["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (FEBRUARY, MARCH)
    draft = shop.latest_invoice(made)
    assert (draft.status, draft.billing_reason, draft.auto_advance) == ("draft", "subscription_cycle", True)
    assert (draft.next_payment_attempt, draft.number) == (FEBRUARY + HOUR, None)
    assert (draft.period_start, draft.period_end) == (START, FEBRUARY)
    assert (draft.lines.data[0].period.start, draft.lines.data[0].period.end) == (FEBRUARY, MARCH)
    assert shop.events_since(before) == [
        "test_helpers.test_clock.advancing",
        "invoice.upcoming",
        "customer.subscription.updated",
        "invoice.created",
        "test_helpers.test_clock.ready",
    ]
    changes = previous(shop.last("customer.subscription.updated"))
    assert set(changes) == {"items", "latest_invoice"}
    assert changes["latest_invoice"] == first
    assert changes["items"]["data"][0]["current_period_end"] == FEBRUARY
    before = shop.count()
    shop.advance_to(FEBRUARY + HOUR)
    assert shop.events_since(before)[1:-1] == [
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    paid = shop.latest_invoice(made)
    assert (paid.status, paid.amount_paid, paid.status_transitions.paid_at) == ("paid", 2000, FEBRUARY + HOUR)
    assert shop.subscription(made).status == "active"
    assert shop.last("invoice.paid").to_dict()["request"] == {"id": None, "idempotency_key": None}


def test_the_next_invoice_is_announced_three_days_before_and_has_no_id(shop):
    made = shop.subscribe(shop.customer())
    shop.advance_to(FEBRUARY - 3 * DAY - 1)
    assert "invoice.upcoming" not in shop.events_since(0)
    shop.advance_to(FEBRUARY - 3 * DAY)
    upcoming = shop.last("invoice.upcoming").data.object.to_dict()
    assert "id" not in upcoming
    assert (upcoming["billing_reason"], upcoming["total"], upcoming["status"]) == ("upcoming", 2000, "draft")
    assert upcoming["lines"]["data"][0]["period"] == {"start": FEBRUARY, "end": MARCH}
    assert upcoming["parent"]["subscription_details"]["subscription"] == made.id


def test_renewals_keep_the_day_of_the_anchor(sandbox, client):
    shop = Shop(sandbox, client)
    end_of_january = START + 16 * DAY
    shop.advance_to(end_of_january)
    made = shop.subscribe(shop.customer())
    ends = []
    for _ in range(3):
        ends.append(shop.subscription(made)["items"].data[0].current_period_end)
        shop.advance_to(ends[-1])
    assert ends == [end_of_january + 28 * DAY, end_of_january + 59 * DAY, end_of_january + 89 * DAY]


def test_a_clock_advances_two_intervals_at_most_and_each_is_billed(shop):
    made = shop.subscribe(shop.customer())
    shop.advance_to(MARCH)
    assert len(shop.v1.invoices.list({"subscription": made.id}).data) == 3
    with pytest.raises(Exception, match="two intervals"):
        shop.advance_to(MARCH + 93 * DAY)


def test_items_with_different_intervals_are_billed_at_their_own_times(shop):
    customer = shop.customer()
    monthly, weekly = shop.price(1000), shop.price(100, interval="week")
    made = shop.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": monthly.id}, {"price": weekly.id}]}
    )
    shop.advance_to(START + 7 * DAY + 2 * HOUR)
    assert shop.latest_invoice(made).total == 100
    ends = [item.current_period_end for item in shop.subscription(made)["items"].data]
    assert ends == [FEBRUARY, START + 14 * DAY]


def test_without_a_test_clock_the_sandboxs_own_clock_renews(sandbox, client):
    shop = Shop(sandbox, client)
    customer = client.v1.customers.create({"email": "own@example.org"})
    shop.give_card(customer, "pm_card_visa")
    made = shop.subscribe(customer)
    end = made["items"].data[0].current_period_end
    assert 28 * DAY <= end - made.created <= 31 * DAY
    sandbox.advance(end - made.created + 2 * HOUR)
    renewed = shop.subscription(made)
    assert renewed["items"].data[0].current_period_start == end
    assert (renewed.test_clock, shop.latest_invoice(made).status) == (None, "paid")
    assert shop.latest_invoice(made).created == end


def failing(shop):
    """A subscription whose next renewal will be declined."""
    customer = shop.customer()
    made = shop.subscribe(customer)
    shop.give_card(customer, "pm_card_chargeCustomerFail")
    return customer, made


def test_a_declined_renewal_is_past_due_until_it_is_paid(shop):
    customer, made = failing(shop)
    shop.advance_to(FEBRUARY)
    before = shop.count()
    shop.advance_to(FEBRUARY + HOUR)
    assert shop.events_since(before)[1:-1] == [
        "invoice.finalized",
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "invoice.updated",
        "customer.subscription.updated",
    ]
    assert previous(shop.last("customer.subscription.updated")) == {"status": "active"}
    invoice = shop.latest_invoice(made)
    assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("open", True, 1)
    assert invoice.next_payment_attempt > FEBRUARY + HOUR
    assert shop.subscription(made).status == "past_due"
    good = shop.give_card(customer, "pm_card_visa")
    shop.v1.invoices.pay(invoice.id, {"payment_method": good.id})
    assert shop.subscription(made).status == "active"
    assert previous(shop.last("customer.subscription.updated")) == {"status": "past_due"}


def test_a_successful_retry_makes_it_active_again(shop):
    customer, made = failing(shop)
    shop.advance_to(FEBRUARY + HOUR)
    shop.give_card(customer, "pm_card_visa")
    retry = shop.latest_invoice(made).next_payment_attempt
    assert retry == FEBRUARY + HOUR + 3 * DAY
    shop.advance_to(retry)
    assert (shop.subscription(made).status, shop.latest_invoice(made).status) == ("active", "paid")
    assert shop.latest_invoice(made).attempt_count == 1


def attempts(shop, made):
    """When the renewal was attempted, in days after the first attempt."""
    charges = shop.v1.charges.list({"customer": made.customer, "limit": 100}).data
    failed = [charge.created for charge in charges if charge.status == "failed"][::-1]
    return [(moment - failed[0]) // DAY for moment in failed]


def test_after_the_last_retry_it_is_canceled(shop):
    _, made = failing(shop)
    shop.advance_to(FEBRUARY + 6 * DAY)
    assert shop.subscription(made).status == "past_due"
    shop.advance_to(FEBRUARY + 20 * DAY)
    ended = shop.subscription(made)
    assert (ended.status, ended.ended_at) == ("canceled", FEBRUARY + HOUR + 7 * DAY)
    assert ended.cancellation_details.reason == "payment_failed"
    assert attempts(shop, made) == [0, 3, 5, 7]
    invoice = shop.latest_invoice(made)
    assert (invoice.status, invoice.auto_advance, invoice.next_payment_attempt) == ("open", False, None)
    assert shop.events_since(0).count("customer.subscription.deleted") == 1


def test_a_renewal_that_requires_authentication_requests_it(shop):
    customer = shop.customer()
    made = shop.subscribe(customer)
    shop.give_card(customer, "pm_card_authenticationRequired")
    shop.advance_to(FEBRUARY)
    before = shop.count()
    shop.advance_to(FEBRUARY + HOUR)
    emitted = shop.events_since(before)
    assert emitted.index("invoice.payment_action_required") < emitted.index("customer.subscription.updated")
    assert shop.subscription(made).status == "past_due"
    intent = shop.intent_of(made)
    assert intent.status == "requires_action"
    shop.sandbox.post(f"/3ds/{intent.id}", outcome="pass")
    assert (shop.subscription(made).status, shop.latest_invoice(made).status) == ("active", "paid")


def test_voiding_the_unpaid_invoice_makes_it_active_again(shop):
    _, made = failing(shop)
    shop.advance_to(FEBRUARY + HOUR)
    shop.v1.invoices.void_invoice(made_invoice := shop.latest_invoice(made).id)
    assert shop.v1.invoices.retrieve(made_invoice).status == "void"
    assert shop.subscription(made).status == "active"


@pytest.mark.parametrize("ending", ["unpaid", "past_due"])
def test_a_setting_decides_what_follows_the_last_retry(tmp_path, ending):
    process = SandboxProcess(tmp_path, SANDBOX_DUNNING_END=ending)
    try:
        shop = Shop(process, process.client)
        customer, made = failing(shop)
        shop.advance_to(FEBRUARY + 20 * DAY)
        assert shop.subscription(made).status == ending
        if ending == "unpaid":
            shop.advance_to(MARCH + 2 * HOUR)
            assert shop.latest_invoice(made).status == "draft"
            good = shop.give_card(customer, "pm_card_visa")
            shop.v1.invoices.pay(shop.latest_invoice(made).id, {"payment_method": good.id})
            assert shop.subscription(made).status == "active"
            shop.advance_to(APRIL + 2 * HOUR)
            assert shop.latest_invoice(made).status == "paid"
    finally:
        process.close()


def test_advancing_a_clock_does_not_affect_another(sandbox, client):
    one, other = Shop(sandbox, client), Shop(sandbox, client)
    made, untouched = one.subscribe(one.customer()), other.subscribe(other.customer())
    one.advance_to(FEBRUARY + 2 * HOUR)
    sandbox.advance(40 * DAY)
    assert one.subscription(made)["items"].data[0].current_period_start == FEBRUARY
    assert other.subscription(untouched)["items"].data[0].current_period_start == START
