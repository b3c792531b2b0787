"""Killed at any point between Stripe's delivery and ours: what was acknowledged is delivered once, by whoever is left."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings

from jobs import running, tasks, waking
from jobs.tests.servers import database_url
from notifications.models import Mail
from payments.models import Order, OrderLine, WebhookEvent
from payments.tests.factories import open_order
from payments.tests.test_settlement import completed
from payments.tests.test_webhook_endpoint import deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def woken(monkeypatch):
    """Which kinds of work a worker was woken for; nothing is sent."""
    asked = []
    monkeypatch.setattr(waking, "_waker", waking.Waker(asked.append))
    monkeypatch.setattr(waking._waker, "ask", asked.append)
    return asked


def killed(point, event=None):
    """Another process that gets no further than the point."""
    process = subprocess.run(
        [sys.executable, "-m", "payments.tests.crashing_process", point],
        input=json.dumps(event).encode() if event else b"",
        env={**os.environ, "DATABASE_URL": database_url()},
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()


def time_passes():
    """Leases end, and what was to wait a little is due."""
    WebhookEvent.objects.filter(state__in=["waiting", "running"]).update(run_after="2000-01-01T00:00Z")


def assert_delivered_once(attempt):
    order = Order.objects.get(pk=attempt.order_id)
    assert order.is_paid
    assert order.lines.get().state == OrderLine.State.FULFILLED
    assert Mail.objects.filter(key=f"order:{order.number}:paid").count() == 1
    event = WebhookEvent.objects.get()
    assert (event.state, [attempt.outcome for attempt in event.tries.all()]) == ("done", ["settled"])


def test_a_web_process_killed_before_it_stored_the_event_has_not_acknowledged_it(woken):
    attempt = open_order()
    event = completed(attempt)
    killed("web: before the event is stored", event)
    assert not WebhookEvent.objects.exists()
    assert deliver(event).json() == {"status": "received"}
    running.drain(WebhookEvent, seconds=10)
    assert_delivered_once(attempt)


def test_the_sweep_finds_what_a_web_process_stored_and_was_killed_before_it_woke_anybody(woken):
    attempt = open_order()
    event = completed(attempt)
    killed("web: stored, nobody woken", event)
    assert WebhookEvent.objects.get().state == "waiting"
    assert deliver(event).json() == {"status": "already processed"}
    assert WebhookEvent not in woken
    tasks.sweep()
    assert WebhookEvent in woken
    running.drain(WebhookEvent, seconds=10)
    assert_delivered_once(attempt)


@pytest.mark.parametrize(
    "point", ["worker: claimed, not begun", "worker: paid, not delivered", "worker: delivered, not committed"]
)
def test_the_sweep_finds_what_a_killed_worker_had_claimed_and_nothing_of_it_took_effect(woken, point):
    attempt = open_order()
    deliver(completed(attempt))
    killed(point)
    order = Order.objects.get(pk=attempt.order_id)
    assert (order.state, order.lines.get().state) == (Order.State.AWAITING_PAYMENT, OrderLine.State.RESERVED)
    assert WebhookEvent.objects.get().state == "running"
    assert running.drain(WebhookEvent, seconds=10) == 0
    time_passes()
    woken.clear()
    tasks.sweep()
    assert WebhookEvent in woken
    running.drain(WebhookEvent, seconds=10)
    assert_delivered_once(attempt)


def test_a_worker_killed_after_its_commit_has_left_nothing_to_do(woken):
    attempt = open_order()
    deliver(completed(attempt))
    killed("worker: committed")
    assert_delivered_once(attempt)
    time_passes()
    assert running.drain(WebhookEvent, seconds=10) == 0


def test_a_worker_killed_again_and_again_delivers_once_in_the_end(woken):
    attempt = open_order()
    deliver(completed(attempt))
    for point in ("worker: claimed, not begun", "worker: paid, not delivered", "worker: delivered, not committed"):
        killed(point)
        time_passes()
    running.drain(WebhookEvent, seconds=10)
    assert WebhookEvent.objects.get().attempts == 4
    assert_delivered_once(attempt)
