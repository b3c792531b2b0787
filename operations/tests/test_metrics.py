"""What is counted, who may read it, and that no label comes from a visitor."""

import time
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from accounts.tests.factories import UserFactory
from jobs import runner
from jobs.registry import work_models
from notifications.models import Mail
from operations.metrics.middleware import MetricsMiddleware
from payments.circuit import Circuit, NoAnswer
from payments.models import WebhookEvent
from payments.signals import stripe_availability_changed, webhook_answered
from payments.tests.conftest import sample_domain
from payments.tests.factories import open_order

__all__ = ["sample_domain"]
TOKEN = "a-token-of-sixteen-letters"


@pytest.fixture
def scrape(settings):
    """Read the metrics as Prometheus does; the result looks up the value of one sample."""
    settings.METRICS_TOKEN = TOKEN

    def read():
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return read_samples(answer.content.decode())

    return read


def read_samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples, name, **labels):
    return samples.get((name, *sorted(labels.items())), 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("networks", "proxies", "headers", "address", "status"),
    [
        ([], 0, {}, "127.0.0.1", 404),
        ([], 0, {"Authorization": "Bearer wrong-token-of-letters"}, "127.0.0.1", 404),
        ([], 0, {"Authorization": TOKEN}, "127.0.0.1", 404),
        ([], 0, {"Authorization": f"Bearer {TOKEN}"}, "127.0.0.1", 200),
        (["10.0.0.0/8"], 0, {}, "10.2.3.4", 200),
        (["10.0.0.0/8"], 0, {}, "::ffff:10.2.3.4", 200),
        (["10.0.0.0/8"], 0, {}, "11.2.3.4", 404),
        (["10.0.0.0/8"], 0, {"X-Forwarded-For": "10.2.3.4"}, "11.2.3.4", 404),
        (["10.0.0.0/8"], 1, {"X-Forwarded-For": "10.2.3.4, 11.2.3.4"}, "10.9.9.9", 404),
        (["10.0.0.0/8"], 1, {"X-Forwarded-For": "1.1.1.1, 10.2.3.4"}, "11.2.3.4", 200),
        (["10.0.0.0/8"], 1, {"X-Forwarded-For": "nonsense"}, "10.2.3.4", 404),
    ],
)
def test_metrics_exist_only_for_those_who_may_read_them(settings, networks, proxies, headers, address, status):
    from ipaddress import ip_network

    settings.METRICS_TOKEN = TOKEN
    settings.METRICS_NETWORKS = [ip_network(one) for one in networks]
    settings.TRUSTED_PROXY_COUNT = proxies
    assert Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code == status


def test_an_empty_token_opens_nothing(settings):
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
def test_requests_count_by_the_name_of_their_address_never_by_path(scrape, sample_domain):
    before = scrape()
    order = open_order().order
    client = Client()
    client.force_login(order.user)
    client.get(order.get_absolute_url())
    Client().get("/canary-4242424242424242/")
    Client().generic("CANARY", "/")
    Client().post("/payments/webhook/", b"{}", "application/json")
    after = scrape()

    def grown(**labels):
        return value(after, "lectern_requests_total", **labels) - value(before, "lectern_requests_total", **labels)

    assert grown(route="payments:order", method="GET", status="200") == 1
    assert grown(route="none", method="GET", status="404") == 1
    assert grown(route="payments:webhook", method="POST", status="400") == 1
    seconds = ("lectern_request_seconds_count", ("route", "payments:order"))
    assert after[seconds] - before.get(seconds, 0) == 1
    text = str(list(after))  # names and labels: a figure may have any digits
    assert "4242" not in text
    assert "CANARY" not in text
    assert order.number not in text


@pytest.mark.django_db
def test_webhooks_count_by_type_and_outcome_and_types_we_do_not_know_are_one(scrape):
    before = scrape()
    for event_type, outcome in (("refund.created", "stored"), ("canary.type", "stored"), ("", "refused")):
        webhook_answered.send(WebhookEvent, event_type=event_type, outcome=outcome)
    after = scrape()
    for kind, outcome in (("refund.created", "stored"), ("other", "stored"), ("none", "refused")):
        labels = {"type": kind, "outcome": outcome}
        name = "lectern_webhooks_received_total"
        assert value(after, name, **labels) - value(before, name, **labels) == 1
    assert "canary" not in str(after)


@pytest.mark.django_db
def test_work_counts_by_kind_and_outcome_with_its_queue(scrape):
    user = UserFactory()
    before = scrape()
    Mail.objects.create(to=user.email, key="metrics-1", template="accounts/mail/none")
    waiting = scrape()
    labels = {"kind": "notifications.Mail", "queue": Mail.queue}
    assert value(waiting, "lectern_queue_length", **labels, state="due") == 1
    runner.drain(Mail, seconds=5)
    after = scrape()
    assert value(after, "lectern_queue_length", **labels, state="due") == 0
    # Its template does not exist, so it is tried again.
    failed = {"kind": "notifications.Mail", "outcome": "failed"}
    assert value(after, "lectern_work_total", **failed) - value(before, "lectern_work_total", **failed) == 1
    assert value(after, "lectern_queue_length", **labels, state="later") == 1


@pytest.mark.django_db
def test_recent_orders_payments_and_refunds_count_by_state(scrape, sample_domain):
    open_order()
    samples = scrape()
    assert value(samples, "lectern_orders_recent", state="awaiting_payment") == 1
    assert ("lectern_orders_recent", ("state", "completed")) in samples
    assert ("lectern_refunds_recent", ("state", "failed")) in samples
    assert value(samples, "lectern_database_up") == 1
    assert value(samples, "lectern_database_connections", state="active") >= 1


@pytest.mark.django_db
def test_the_circuit_is_shown_from_when_it_opens_until_it_closes(scrape):
    circuit = Circuit(slots=1, when_changed=lambda is_down: stripe_availability_changed.send(None, is_down=is_down))
    for _ in range(3):
        assert value(scrape(), "lectern_stripe_down") == 0
        with pytest.raises(NoAnswer), circuit.call():
            raise NoAnswer
    assert value(scrape(), "lectern_stripe_down") == 1
    circuit._opens_again_at = 0
    with circuit.call():
        pass
    assert value(scrape(), "lectern_stripe_down") == 0


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_rest_is_still_told(scrape, monkeypatch):
    Client().get("/nothing-here/")
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)
    samples = scrape()
    assert value(samples, "lectern_database_up") == 0
    assert any(name == "lectern_requests_total" for name, *_ in samples)


@pytest.mark.django_db
def test_a_scrape_asks_a_constant_number_of_questions(scrape, sample_domain):
    with CaptureQueriesContext(connection) as first:
        scrape()
    open_order()
    open_order()
    with CaptureQueriesContext(connection) as second:
        scrape()
    assert len(first) == len(second) <= len(work_models()) + 12


@pytest.mark.django_db
def test_counting_a_request_costs_less_than_a_tenth_of_a_millisecond():
    class Answer:
        status_code = 200

    request = RequestFactory().get("/")
    request.resolver_match = None
    middleware = MetricsMiddleware(lambda _request: Answer())
    rounds = 2000

    def seconds(call):
        began = time.process_time()
        for _ in range(rounds):
            call(request)
        return time.process_time() - began

    seconds(middleware)
    spent = min(seconds(middleware) for _ in range(5)) / rounds
    assert Decimal(spent) < Decimal("0.0001")
