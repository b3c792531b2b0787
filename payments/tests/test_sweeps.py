"""Events that no webhook delivered are found in Stripe's list, however long the outage was and however it ended."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.models import Heartbeat
from jobs.runner import drain
from notifications.models import Alert
from payments import gateway, sweeps
from payments.models import EventSearch, Order, Payment, WebhookEvent
from payments.stripe_api import StripeUnreachable
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, event_of, sample_offer
from payments.tests.test_checkout import press_pay, signed_in
from payments.webhook.event_types import LISTENED_FOR
from payments.webhook.inbox import store_event, store_events

pytestmark = pytest.mark.django_db
FOUR_DAYS = timedelta(days=4)


def buy(sandbox):
    """Make a purchase of which no event is delivered: this sandbox has no webhook endpoint."""
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
    """Move both clocks, Stripe's and ours."""
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


def test_a_webhook_that_arrives_before_the_search_hides_no_missed_event(stripe_sandbox):
    take_in_missed_events()
    payment = buy(stripe_sandbox)
    with after(FOUR_DAYS, stripe_sandbox):
        webhook_arrives()
        assert take_in_missed_events() > 0
    assert is_paid_after_work(payment)


@pytest.mark.parametrize("latest_search", [None, timedelta(days=90)])
def test_the_search_goes_no_further_back_than_stripe_keeps_events(monkeypatch, latest_search):
    if latest_search:
        EventSearch.objects.create(
            types=",".join(LISTENED_FOR),
            searched_until=timezone.now() - latest_search,
            slice_length=timedelta(days=30),
        )
    asked = []
    monkeypatch.setattr(gateway, "list_event_pages", lambda **options: asked.append(options["created_from"]) or [])
    take_in_missed_events()
    assert timedelta(days=30) <= timezone.now() - asked[0] < timedelta(days=30, minutes=1)


def test_events_that_we_do_not_listen_for_are_not_searched(stripe_sandbox):
    buy(stripe_sandbox)
    take_in_missed_events()
    assert set(WebhookEvent.objects.values_list("type", flat=True)) == {
        "checkout.session.completed",
        "payment_intent.succeeded",
    }


def test_more_types_than_one_request_may_name_are_all_searched(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(gateway, "TYPES_PER_LIST", 2)
    buy(stripe_sandbox)
    assert take_in_missed_events() == 2


def test_an_event_that_is_not_ours_alerts_and_does_not_prevent_the_others(monkeypatch):
    events = [
        event_of("customer.created", {"id": "cus_1"}, livemode=True),
        event_of("customer.created", {"id": "cus_2"}, account="acct_other"),
        event_of("customer.created", {"id": "cus_3"}),
    ]
    monkeypatch.setattr(gateway, "list_event_pages", lambda **_: [events])
    assert take_in_missed_events() == 1
    assert {"event-unusable:mode", "event-unusable:account"} == set(Alert.objects.values_list("key", flat=True))


def test_more_events_than_stripe_lists_at_once_are_stored(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(gateway, "_EVENTS_PER_PAGE", 3)
    payments = [buy(stripe_sandbox) for _ in range(4)]
    assert take_in_missed_events() == 8
    assert all(is_paid_after_work(payment) for payment in payments)


# Events of customers are quick to create in numbers; the search does not depend on the types.
CUSTOMERS = ("customer.created",)


def customers_over_days(sandbox, *, days, a_day):
    """Create events spread over days, the newest of them now; moves both clocks by `days`."""
    for day in range(days):
        for number in range(a_day):
            sandbox.http.post(f"{sandbox.url}/v1/customers", data={"name": f"{day}.{number}"}, timeout=30)
        sandbox.switch("clock", advance=24 * 3600)
    return time_machine.travel(timezone.now() + timedelta(days=days))


def names_taken_in():
    return [event.payload["data"]["object"]["name"] for event in WebhookEvent.objects.order_by("pk")]


def test_many_events_are_stored_over_several_runs_none_twice_and_none_skipped(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(gateway, "_EVENTS_PER_PAGE", 3)
    monkeypatch.setattr(sweeps, "_PAGES_PER_SLICE", 2)
    with customers_over_days(stripe_sandbox, days=10, a_day=7):
        found = []
        # Very little time, and each day's events in one burst: most runs are interrupted within a slice.
        while not Heartbeat.objects.filter(name="payments.take_in_missed_events").exists():
            found.append(take_in_missed_events(types=CUSTOMERS, seconds=0.3))
            assert len(found) < 200
        assert sum(found) == 70
        assert len(found) > 3
        assert set(names_taken_in()) == {f"{day}.{number}" for day in range(10) for number in range(7)}
        assert take_in_missed_events(types=CUSTOMERS) == 0


def test_an_interrupted_run_keeps_its_progress(stripe_sandbox, monkeypatch):
    list_pages, calls = gateway.list_event_pages, []

    def break_off(**options):
        calls.append(options)
        if len(calls) == 3:
            raise StripeUnreachable("no answer")
        return list_pages(**options)

    with customers_over_days(stripe_sandbox, days=4, a_day=3):
        with monkeypatch.context() as broken:
            broken.setattr(gateway, "list_event_pages", break_off)
            with pytest.raises(StripeUnreachable):
                take_in_missed_events(types=CUSTOMERS)
        reached = EventSearch.objects.get().searched_until
        assert reached == calls[2]["created_from"] > calls[0]["created_from"]
        assert not Heartbeat.objects.exists()
        take_in_missed_events(types=CUSTOMERS)
        assert len(names_taken_in()) == 12


def test_an_event_at_each_boundary_of_slices_is_stored(stripe_sandbox, monkeypatch):
    monkeypatch.setattr(sweeps, "_FIRST_SLICE", timedelta(seconds=1))
    monkeypatch.setattr(sweeps, "_FURTHEST_BACK", timedelta(seconds=20))
    monkeypatch.setattr(sweeps, "_OVERLAP", timedelta(0))
    for second in range(10):
        stripe_sandbox.http.post(f"{stripe_sandbox.url}/v1/customers", data={"name": f"{second}"}, timeout=30)
        stripe_sandbox.switch("clock", advance=1)
    with time_machine.travel(timezone.now() + timedelta(seconds=10)):
        while not Heartbeat.objects.exists():
            EventSearch.objects.update(slice_length=timedelta(seconds=1))
            take_in_missed_events(types=CUSTOMERS, seconds=0)
    assert sorted(names_taken_in(), key=int) == [str(second) for second in range(10)]


def test_an_event_that_appears_late_is_found(stripe_sandbox):
    with customers_over_days(stripe_sandbox, days=1, a_day=1):
        take_in_missed_events(types=CUSTOMERS)
        # Created half an hour before the last search, but listed only now.
        stripe_sandbox.switch("clock", advance=-1800)
        stripe_sandbox.http.post(f"{stripe_sandbox.url}/v1/customers", data={"name": "late"}, timeout=30)
        stripe_sandbox.switch("clock", advance=1800)
        assert take_in_missed_events(types=CUSTOMERS) == 1


def test_a_page_is_stored_in_one_statement():
    for count in (1, 50):
        events = [event_of("customer.created", {"id": f"cus_{number}"}) for number in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert store_events(events, source="backfill") == (count, [])
        assert [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]] == ["INSERT"]
        assert store_events(events, source="backfill") == (0, [])


def test_one_event_that_cannot_be_stored_does_not_prevent_the_others():
    events = [event_of("customer.created", {"id": "cus_1", "name": name}) for name in ("a", "b\x00", "c", "\ud83d")]
    stored, problems = store_events(events, source="backfill")
    assert (stored, [problem.kind for problem in problems]) == (2, ["unstorable", "unstorable"])
    assert names_taken_in() == ["a", "c"]
