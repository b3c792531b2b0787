"""A subscription from its start to its end: each paid invoice is one order, settled once, however it is reported."""

import json
import random

import pytest
from django.db.models import Sum

from jobs.runner import drain
from ledger.balances import balance_of
from ledger.entries import AccountKind
from notifications.models import Mail
from payments.models import Order, Payment, WebhookEvent
from payments.sweeps import take_in_missed_events
from payments.webhook.inbox import store_events
from subscriptions.models import FollowUp, Subscription, SubscriptionChange, SubscriptionPeriod
from subscriptions.tests.factories import make_plan, make_price

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]
MONTH = {"days": 31, "hours": 3}


def kinds(row):
    return list(SubscriptionChange.objects.filter(subscription=row).values_list("kind", flat=True))


def mails_to(user):
    return {mail.template.rpartition("/")[2] for mail in Mail.objects.filter(user=user)}


def clearing():
    return balance_of(AccountKind.STRIPE_CLEARING, "GBP").minor


def test_the_first_payment_is_an_order_and_opens_a_period(ada):
    row = ada.subscribe()
    period = row.periods.get()
    order = period.line.order
    assert (row.status, period.kind, period.amount_minor) == ("active", "start", 2900)
    assert (order.state, order.total_minor, order.lines.get().teacher) == ("completed", 2900, None)
    assert (period.starts_at, period.ends_at) == (row.period_starts_at, row.period_ends_at)
    payment = order.payments.get()
    assert payment.has_succeeded
    assert payment.stripe_charge_id
    assert kinds(row) == ["started", "renewed"]
    assert "payment_confirmed" in mails_to(ada.user)


def test_events_that_come_twice_late_and_in_any_order_change_nothing(ada):
    ada.subscribe(tells=False)
    events = ada.events()
    shuffled = random.Random(7).sample(events, len(events))
    for _ in range(2):
        ada.tell(shuffled)
        WebhookEvent.objects.update(state="waiting", attempts=0)
    ada.work()
    row = ada.row()
    assert (row.status, Order.objects.count(), row.periods.count()) == ("active", 1, 1)
    assert kinds(row) == ["started", "renewed"]


def test_without_any_event_the_follow_up_finds_the_start_and_the_renewal(ada):
    ada.subscribe(tells=False)
    ada.follow_up()
    assert ada.row().status == "active"
    with ada.later(**MONTH):
        ada.follow_up()
        row = ada.row()
        assert [period.kind for period in row.periods.all()] == ["start", "renewal"]
        assert Payment.objects.filter(status="succeeded").aggregate(all=Sum("amount_minor")) == {"all": 5800}


def test_events_that_no_webhook_delivered_are_found_in_stripes_list_as_a_webhook_tells_them(ada):
    """Stripe's client makes numbers of prices' exact decimals, which JSON has no word for."""
    take_in_missed_events()
    ada.subscribe(tells=False)
    with ada.later(minutes=20):
        assert take_in_missed_events() > 0
    found = {event.stripe_id: event.payload for event in WebhookEvent.objects.all()}
    assert any("unit_amount_decimal" in json.dumps(payload) for payload in found.values())
    told = {event["id"]: event for event in ada.events()}
    assert all(payload["data"] == told[event_id]["data"] for event_id, payload in found.items())
    ada.work()
    assert (ada.row().status, Order.objects.count()) == ("active", 1)


def test_a_renewal_is_another_order_and_period(ada):
    ada.subscribe()
    with ada.later(**MONTH):
        ada.tell()
        row = ada.row()
        first, second = row.periods.all()
        assert (second.kind, second.starts_at) == ("renewal", first.ends_at)
        assert second.line.order != first.line.order
        ada.follow_up()
        assert row.periods.count() == 2


def test_an_event_from_before_the_end_does_not_bring_it_back(ada):
    row = ada.subscribe()
    active = ada.events("customer.subscription.created", "invoice.paid")
    ada.sandbox.http.delete(f"{ada.sandbox.url}/v1/subscriptions/{row.stripe_subscription_id}", timeout=30)
    ada.tell(ada.events("customer.subscription.deleted"))
    for event in active:
        ada.tell([event | {"id": event["id"] + "late"}])
    row.refresh_from_db()
    assert (row.status, row.end_reason) == ("ended", "by_staff")
    assert Order.objects.count() == 1


def test_a_failed_renewal_leaves_time_to_pay_and_recovers(ada):
    row = ada.subscribe()
    ada.use_card("pm_card_chargeCustomerFail")
    with ada.later(**MONTH):
        ada.tell()
        row = ada.row()
        assert row.status == "past_due"
        assert row.unpaid_invoice_url
        assert row.periods.count() == 1
        assert "Pay now" in ada.client.get("/my/subscription/").content.decode()
        ada.use_card("pm_card_visa")
        [invoice] = ada.sandbox.get("invoices", subscription=row.stripe_subscription_id, status="open")["data"]
        ada.sandbox.http.post(f"{ada.sandbox.url}/v1/invoices/{invoice['id']}/pay", timeout=30)
        ada.tell()
        row = ada.row()
        assert (row.status, row.grace_until, row.periods.count()) == ("active", None, 2)
        assert mails_to(ada.user) >= {"payment_failed", "recovered"}
        assert {"payment_failed", "recovered"} <= set(kinds(row))


def test_what_is_not_paid_in_time_ends_here_and_at_stripe(ada, settings):
    row = ada.subscribe()
    ada.use_card("pm_card_chargeCustomerFail")
    with ada.later(**MONTH):
        ada.tell()
    with ada.later(days=4):
        ada.follow_up()
    failed = Mail.objects.filter(template="subscriptions/mail/payment_failed")
    assert {mail.context["step"] for mail in failed} == {"first", "reminder"}
    with ada.later(days=4):
        ada.follow_up()
        row.refresh_from_db()
        assert (row.status, row.end_reason) == ("ended", "payment_failed")
    assert ada.sandbox.get(f"subscriptions/{row.stripe_subscription_id}")["status"] == "canceled"
    assert not ada.sandbox.get("invoices", subscription=row.stripe_subscription_id, status="open")["data"]


def test_a_trial_charges_nothing_and_is_given_once(ada):
    price = make_price(make_plan(trial_days=14, grants_courses=True), credits=4, credit_value_minor=700)
    row = ada.subscribe(price)
    period = row.periods.get()
    assert (row.status, period.amount_minor, period.credits, period.line) == ("trialing", 0, 0, None)
    assert "trial_started" in mails_to(ada.user)
    with ada.later(days=14, hours=3):
        ada.tell()
        row = ada.row()
        assert row.status == "active"
        paid = row.periods.get(amount_minor__gt=0)
        assert (paid.credits, paid.credit_value_minor) == (4, 700)
        ada.client.post("/my/subscription/cancel/")
    with ada.later(days=32):
        ada.tell()
        assert not Subscription.objects.live().exists()
        again = ada.subscribe(price)
        assert again.status == "active"


def test_a_second_click_finds_the_same_page_and_another_plan_closes_it(ada):
    price, other = make_price(), make_price()
    first = ada.client.post(f"/plans/prices/{price.pk}/subscribe/")
    second = ada.client.post(f"/plans/prices/{price.pk}/subscribe/")
    third = ada.client.post(f"/plans/prices/{other.pk}/subscribe/")
    assert first["Location"] == second["Location"] != third["Location"]
    states = [session["status"] for session in ada.sandbox.get("checkout/sessions", limit=10)["data"]]
    assert sorted(states) == ["expired", "open"]
    assert Subscription.objects.filter(ended_at=None).get().price == other


def test_nobody_has_two_subscriptions(ada):
    ada.subscribe()
    answer = ada.client.post(f"/plans/prices/{make_price().pk}/subscribe/", follow=True)
    assert "You have a subscription already" in answer.content.decode()


def test_a_page_that_expires_leaves_nothing(ada):
    price = make_price()
    ada.client.post(f"/plans/prices/{price.pk}/subscribe/")
    with ada.later(hours=2):
        ada.follow_up()
    row = Subscription.objects.get()
    assert (row.status, row.end_reason) == ("ended", "never_paid")


def test_a_dearer_plan_is_charged_at_once_as_shown(ada):
    price = make_price(amount_minor=2900, credits=2, credit_value_minor=900)
    dearer = make_price(amount_minor=5900, credits=4, credit_value_minor=900)
    ada.subscribe(price)
    with ada.later(days=15):
        page = ada.client.get(f"/my/subscription/change/{dearer.pk}/")
        planned = page.context["planned"]
        due = planned.preview.amount_due.minor
        assert 1000 < due < 2000
        answer = ada.client.post(
            f"/my/subscription/change/{dearer.pk}/", {"at": planned.proration_at, "agreed": due}, follow=True
        )
        assert "Your plan is changed" in answer.content.decode()
        ada.tell()
        row = ada.row()
        changed = row.periods.get(kind="change")
        assert (row.price, changed.amount_minor, changed.line.order.total_minor) == (dearer, due, due)
        assert (changed.credits, changed.price) == (1, dearer)
        assert clearing() + balance_of(AccountKind.STRIPE_FEES, "GBP").minor == 2900 + due


def test_another_amount_than_shown_is_shown_again(ada):
    dearer = make_price(amount_minor=5900)
    ada.subscribe(make_price(amount_minor=2900))
    planned = ada.client.get(f"/my/subscription/change/{dearer.pk}/").context["planned"]
    for wrong in ({"at": planned.proration_at, "agreed": 1}, {"at": planned.proration_at}, {"at": "x", "agreed": "x"}):
        answer = ada.client.post(f"/my/subscription/change/{dearer.pk}/", wrong)
        assert "has changed since it was shown" in answer.content.decode()
    assert ada.row().price != dearer
    assert Order.objects.count() == 1


def test_a_cheaper_plan_begins_with_the_next_period(ada):
    cheaper = make_price(amount_minor=1900)
    ada.subscribe(make_price(amount_minor=2900))
    at = ada.client.get(f"/my/subscription/change/{cheaper.pk}/").context["planned"].proration_at
    ada.client.post(f"/my/subscription/change/{cheaper.pk}/", {"at": at})
    row = ada.row()
    assert (row.price.amount_minor, row.next_price) == (2900, cheaper)
    ada.tell()
    assert ada.row().next_price == cheaper
    assert Order.objects.count() == 1
    with ada.later(**MONTH):
        ada.tell()
        row = ada.row()
        assert (row.price, row.next_price) == (cheaper, None)
        assert row.periods.last().amount_minor == 1900


def test_a_card_that_is_refused_changes_no_plan(ada):
    dearer = make_price(amount_minor=5900)
    ada.subscribe(make_price(amount_minor=2900))
    ada.use_card("pm_card_chargeCustomerFail")
    planned = ada.client.get(f"/my/subscription/change/{dearer.pk}/").context["planned"]
    answer = ada.client.post(
        f"/my/subscription/change/{dearer.pk}/",
        {"at": planned.proration_at, "agreed": planned.preview.amount_due.minor},
        follow=True,
    )
    assert "Nothing was changed" in answer.content.decode()
    ada.tell()
    assert ada.row().price != dearer
    assert SubscriptionPeriod.objects.count() == 1


def test_cancelled_at_the_end_resumed_and_cancelled_again(ada):
    row = ada.subscribe()
    asked = ada.client.get("/my/subscription/cancel/").content.decode()
    assert "You keep everything until" in asked
    assert not ada.row().cancel_at_period_end
    ada.client.post("/my/subscription/cancel/")
    assert "Resume" in ada.client.get("/my/subscription/").content.decode()
    ada.client.post("/my/subscription/resume/")
    assert not ada.row().cancel_at_period_end
    ada.client.post("/my/subscription/cancel/")
    ada.tell()
    assert ada.row().cancel_at_period_end
    with ada.later(**MONTH):
        ada.follow_up()
    row.refresh_from_db()
    assert (row.status, row.end_reason, row.periods.count()) == ("ended", "cancelled", 1)
    assert kinds(row) == ["started", "renewed", "cancelled", "resumed", "cancelled", "ended"]
    assert mails_to(ada.user) >= {"cancelled", "resumed", "ended"}


def test_the_portal_is_stripes(ada):
    ada.subscribe()
    assert ada.client.post("/my/subscription/portal/")["Location"].startswith(ada.sandbox.url)


def test_the_return_page_brings_the_look_forward(ada):
    row = ada.subscribe(tells=False)
    ada.client.get("/my/subscription/returned/", {"session_id": row.stripe_session_id}, follow=True)
    drain(FollowUp, seconds=10)
    assert ada.row().status == "active"
    for wrong in ("cs_other", "", "\0"):
        assert ada.client.get("/my/subscription/returned/", {"session_id": wrong}).status_code == 404


def test_metadata_alone_makes_nobodys_subscription_ours(ada):
    row = ada.subscribe(tells=False)
    found = ada.sandbox.get("subscriptions", limit=1)["data"][0]
    other = ada.__class__(ada.sandbox)
    theirs = other.subscribe(tells=False)
    ada.sandbox.http.post(
        f"{ada.sandbox.url}/v1/subscriptions/{found['id']}",
        data={"metadata[subscription]": str(theirs.reference)},
        timeout=30,
    )
    store_events(ada.events("customer.subscription.updated"), source="webhook")
    ada.work()
    assert WebhookEvent.objects.filter(is_quarantined=True).exists()
    row.refresh_from_db()
    assert row.status == "starting"


def test_the_platform_owes_the_tax_that_a_price_includes(ada, settings):
    settings.TAX_RATE_BPS = 2000
    settings.TAX_MODE = "added"
    line = ada.subscribe().periods.get().line
    assert (line.amount_minor, line.tax_minor, line.platform_tax_minor) == (2900, 483, 483)
    assert (line.platform_fee_minor, line.teacher_share_minor, line.order.total_minor) == (2417, 0, 2900)
