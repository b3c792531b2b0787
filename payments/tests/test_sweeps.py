"""What no webhook told is found in Stripe's list, however long the silence was and however it ended."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.models import Heartbeat
from jobs.runner import drain
from notifications.models import Alert
from payments import gateway
from payments.models import Order, Payment, WebhookEvent
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, event_of, sample_offer
from payments.tests.test_checkout import press_pay, signed_in
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db
FOUR_DAYS = timedelta(days=4)


def buy(sandbox):
    """Somebody pays, and no event of it is delivered: this sandbox has nowhere to deliver to."""
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.latest("pk")
    sandbox.pay(payment.stripe_session_id)
    return payment


def webhook_arrives(**changes):
    event = event_of("customer.created", {"id": "cus_1", "object": "customer"}, **changes)
    store_event(event, source="webhook")
    WebhookEvent.objects.filter(stripe_id=event["id"]).update(created_at=timezone.now())


def is_paid_after_work(payment):
    WebhookEvent.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=10)
    return Order.objects.get(pk=payment.order_id).is_paid


def after(span, sandbox):
    """Both clocks moved: Stripe's and ours."""
    sandbox.switch("clock", advance=int(span.total_seconds()))
    return time_machine.travel(timezone.now() + span)


def test_four_days_without_webhooks_are_searched_in_whole(stripe_sandbox):
    webhook_arrives()
    take_in_missed_events()
    payment = buy(stripe_sandbox)
    with after(FOUR_DAYS, stripe_sandbox):
        assert take_in_missed_events() > 0
        assert take_in_missed_events() == 0
    assert is_paid_after_work(payment)


def test_a_webhook_that_ends_the_silence_before_anybody_searched_hides_nothing(stripe_sandbox):
    take_in_missed_events()
    payment = buy(stripe_sandbox)
    with after(FOUR_DAYS, stripe_sandbox):
        webhook_arrives()
        assert take_in_missed_events() > 0
    assert is_paid_after_work(payment)


def test_a_search_that_was_cut_off_is_repeated_from_where_it_began(stripe_sandbox, monkeypatch):
    take_in_missed_events()
    payment = buy(stripe_sandbox)
    list_events = gateway.list_events

    def break_off(**options):
        events = iter(list_events(**options))
        yield next(events)
        raise gateway.StripeUnreachable("no answer")

    with after(FOUR_DAYS, stripe_sandbox):
        with monkeypatch.context() as broken:
            broken.setattr(gateway, "list_events", break_off)
            with pytest.raises(gateway.StripeUnreachable):
                take_in_missed_events()
        assert WebhookEvent.objects.count() == 1
        assert take_in_missed_events() > 0
    assert is_paid_after_work(payment)


def test_a_search_by_hand_from_a_later_moment_does_not_count_as_one(stripe_sandbox):
    payment = buy(stripe_sandbox)
    with after(FOUR_DAYS, stripe_sandbox):
        take_in_missed_events(since=timezone.now() - timedelta(minutes=5))
        assert not WebhookEvent.objects.filter(type="checkout.session.completed").exists()
        assert take_in_missed_events() > 0
    assert is_paid_after_work(payment)


@pytest.mark.parametrize("latest_search", [None, timedelta(days=90)])
def test_the_search_goes_no_further_back_than_stripe_keeps_events(monkeypatch, latest_search):
    if latest_search:
        Heartbeat.objects.create(name="payments.take_in_missed_events", seen_at=timezone.now() - latest_search)
    asked = []
    monkeypatch.setattr(gateway, "list_events", lambda **options: asked.append(options["created_from"]) or [])
    take_in_missed_events()
    assert timedelta(days=30) <= timezone.now() - asked[0] < timedelta(days=30, minutes=1)


def test_what_we_do_not_listen_for_is_not_missed(stripe_sandbox):
    buy(stripe_sandbox)
    take_in_missed_events()
    assert set(WebhookEvent.objects.values_list("type", flat=True)) == {
        "checkout.session.completed",
        "payment_intent.succeeded",
    }


def test_more_types_than_one_request_may_name_are_all_asked_for(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(gateway, "_TYPES_PER_LIST", 2)
    buy(stripe_sandbox)
    assert take_in_missed_events() == 2


def test_an_event_that_is_not_ours_alerts_and_does_not_keep_the_others(monkeypatch):
    events = [
        event_of("customer.created", {"id": "cus_1"}, livemode=True),
        event_of("customer.created", {"id": "cus_2"}, account="acct_other"),
        event_of("customer.created", {"id": "cus_3"}),
    ]
    monkeypatch.setattr(gateway, "list_events", lambda **_: events)
    assert take_in_missed_events() == 1
    assert {"event-unusable:mode", "event-unusable:account"} == set(Alert.objects.values_list("key", flat=True))


def test_more_events_than_stripe_lists_at_once_are_taken_in(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(gateway, "_EVENTS_PER_PAGE", 3)
    payments = [buy(stripe_sandbox) for _ in range(4)]
    assert take_in_missed_events() == 8
    assert all(is_paid_after_work(payment) for payment in payments)
