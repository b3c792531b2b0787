"""A process is killed at any point between webhook and delivery: what was acknowledged is still delivered, once."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings

from jobs import runner, tasks, wakeups
from jobs.tests.servers import database_url
from notifications.models import Mail
from payments.models import Order, OrderLine, WebhookEvent
from payments.tests.factories import open_order
from payments.tests.test_settlement import completed
from payments.tests.test_webhook_endpoint import deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def woken(monkeypatch):
    """The kinds of work for which a worker was woken; no message is sent."""
    asked = []
    monkeypatch.setattr(wakeups, "_waker", wakeups.Waker(asked.append))
    monkeypatch.setattr(wakeups._waker, "ask", asked.append)
    return asked


def killed(point, event=None):
    """Run another process, which is killed at the point."""
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
    """Let leases expire and delayed work become due."""
    WebhookEvent.objects.filter(state__in=["waiting", "running"]).update(run_after="2000-01-01T00:00Z")


def assert_delivered_once(payment):
    order = Order.objects.get(pk=payment.order_id)
    assert order.is_paid
    assert order.lines.get().state == OrderLine.State.FULFILLED
    assert Mail.objects.filter(key=f"order:{order.number}:paid").count() == 1
    event = WebhookEvent.objects.get()
    assert (event.state, [payment.outcome for payment in event.tries.all()]) == ("done", ["settled"])


def test_a_web_process_killed_before_it_stored_the_event_has_not_acknowledged_it(woken):
    payment = open_order()
    event = completed(payment)
    killed("web: before the event is stored", event)
    assert not WebhookEvent.objects.exists()
    assert deliver(event).json() == {"status": "received"}
    runner.drain(WebhookEvent, seconds=10)
    assert_delivered_once(payment)


def test_the_sweep_finds_an_event_whose_web_process_was_killed_before_it_woke_a_worker(woken):
    payment = open_order()
    event = completed(payment)
    killed("web: stored, no worker woken", event)
    assert WebhookEvent.objects.get().state == "waiting"
    assert deliver(event).json() == {"status": "already_processed"}
    assert WebhookEvent not in woken
    tasks.sweep()
    assert WebhookEvent in woken
    runner.drain(WebhookEvent, seconds=10)
    assert_delivered_once(payment)


@pytest.mark.parametrize(
    "point", ["worker: claimed, not begun", "worker: paid, not delivered", "worker: delivered, not committed"]
)
def test_the_sweep_finds_the_claim_of_a_killed_worker_none_of_whose_work_took_effect(woken, point):
    payment = open_order()
    deliver(completed(payment))
    killed(point)
    order = Order.objects.get(pk=payment.order_id)
    assert (order.state, order.lines.get().state) == (Order.State.AWAITING_PAYMENT, OrderLine.State.RESERVED)
    assert WebhookEvent.objects.get().state == "running"
    assert runner.drain(WebhookEvent, seconds=10) == 0
    time_passes()
    woken.clear()
    tasks.sweep()
    assert WebhookEvent in woken
    runner.drain(WebhookEvent, seconds=10)
    assert_delivered_once(payment)


def test_a_worker_killed_after_its_commit_has_left_nothing_to_do(woken):
    payment = open_order()
    deliver(completed(payment))
    killed("worker: committed")
    assert_delivered_once(payment)
    time_passes()
    assert runner.drain(WebhookEvent, seconds=10) == 0


def test_a_worker_killed_again_and_again_delivers_once_in_the_end(woken):
    payment = open_order()
    deliver(completed(payment))
    for point in ("worker: claimed, not begun", "worker: paid, not delivered", "worker: delivered, not committed"):
        killed(point)
        time_passes()
    runner.drain(WebhookEvent, seconds=10)
    assert WebhookEvent.objects.get().attempts == 4
    assert_delivered_once(payment)
