"""Waking must cost the writer nothing, whatever the broker does."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings

from jobs import messages, wakeups
from jobs.tests.chores.models import Chore


class Broker:
    """Stands in for the publishing of one message."""

    def __init__(self):
        self.sent = []
        self.gate = threading.Event()
        self.gate.set()
        self.is_down = False

    def publish(self, model):
        self.gate.wait(5)
        if self.is_down:
            raise ConnectionError("no broker")
        self.sent.append(model)

    def wait_for(self, count):
        deadline = time.monotonic() + 5
        while len(self.sent) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self.sent)


@pytest.fixture
def broker(monkeypatch):
    monkeypatch.setattr(wakeups, "_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(wakeups, "_PAUSE_SECONDS", 0.05)
    return Broker()


@pytest.fixture
def waker(broker, monkeypatch):
    waker = wakeups.Waker(broker.publish)
    monkeypatch.setattr(wakeups, "_waker", waker)
    return waker


def thread_is_gone(waker):
    deadline = time.monotonic() + 3
    while waker._thread and time.monotonic() < deadline:
        time.sleep(0.02)
    return waker._thread is None


def test_asking_takes_microseconds_even_while_the_broker_hangs(broker, waker):
    broker.gate.clear()
    wakeups.wake(Chore)
    durations = []
    for _ in range(200):
        start = time.perf_counter()
        wakeups.wake(Chore)
        durations.append(time.perf_counter() - start)
    broker.gate.set()
    assert sorted(durations)[100] < 0.0005


def test_rows_written_while_a_message_is_under_way_become_one_message(broker, waker):
    broker.gate.clear()
    wakeups.wake(Chore)
    time.sleep(0.1)
    for _ in range(50):
        wakeups.wake(Chore)
    broker.gate.set()
    assert broker.wait_for(2) == 2
    assert thread_is_gone(waker)
    assert len(broker.sent) == 2


def test_the_thread_ends_when_idle_and_starts_again_when_asked(broker, waker):
    wakeups.wake(Chore)
    assert broker.wait_for(1) == 1
    assert thread_is_gone(waker)
    wakeups.wake(Chore)
    assert broker.wait_for(2) == 2


def test_a_broker_that_comes_back_within_moments_gets_the_message(broker, waker):
    broker.is_down = True
    wakeups.wake(Chore)
    time.sleep(0.07)
    broker.is_down = False
    assert broker.wait_for(1) == 1


def test_a_broker_that_stays_away_is_given_up_without_a_thread_left_behind(broker, waker):
    broker.is_down = True
    wakeups.wake(Chore)
    assert thread_is_gone(waker)
    assert broker.sent == []


def test_a_process_that_can_start_no_thread_goes_on(broker, waker, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    wakeups.wake(Chore)
    assert waker._thread is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_a_waker_of_its_own(broker, waker, monkeypatch):
    broker.gate.clear()
    wakeups.wake(Chore)  # the parent's thread now sits in its publish and does not come along
    reader, writer = os.pipe()
    monkeypatch.setattr(wakeups, "_publish", lambda model: os.write(writer, b"sent"))
    child = os.fork()
    if not child:
        wakeups.wake(Chore)
        time.sleep(0.5)
        os._exit(0)
    os.close(writer)
    try:
        assert os.read(reader, 4) == b"sent"
    finally:
        os.close(reader)
        os.waitpid(child, 0)
        broker.gate.set()


def test_a_process_without_a_broker_asks_at_once_and_exits_at_once():
    program = """
import time, django
django.setup()
from jobs.messages import send_drain
from jobs.wakeups import wake
from jobs.tests.chores.models import Chore
started = time.perf_counter(); wake(Chore); asked = time.perf_counter() - started
try:
    send_drain("chores.Chore", queue=Chore.queue, lease=Chore.lease)
except Exception:
    refused = time.perf_counter() - started
print("times", asked, refused, time.time())
"""
    environment = {
        **os.environ,
        "REDIS_URL": f"redis://127.0.0.1:{closed_port()}/0",
        "DJANGO_SETTINGS_MODULE": "jobs.tests.worker_settings",
    }

    def run():
        result = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        (line,) = (line for line in result.stdout.splitlines() if line.startswith("times"))
        asked, refused, ended = map(float, line.split()[1:])
        return asked, refused, time.time() - ended

    # A busy machine slows a process now and then; one that waits for the broker takes its time whenever it is run.
    assert any(asked < 0.05 and refused < 2 and ending < 2 for asked, refused, ending in (run() for _ in range(5)))


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_full_queue_takes_no_more_messages(redis_server, monkeypatch):
    monkeypatch.setattr(messages, "LONGEST_QUEUE", 3)
    with redis_server.as_broker():
        sent = [messages.send("jobs.sweep", queue="urgent", expires=10) for _ in range(5)]
        assert sent == [True, True, True, False, False]
        assert redis_server.client.llen("urgent") == 3


def test_a_hint_is_sent_with_its_limits(redis_server):
    with redis_server.as_broker():
        messages.Hint("jobs.sweep", ("7",), queue="looks", expires=10, soft_time_limit=5).send()
        headers = json.loads(redis_server.client.lindex("looks", -1))["headers"]
    assert headers["timelimit"] == [10, 5]
    assert headers["expires"]


def test_hints_and_kinds_of_work_are_sent_by_one_thread_each_once(broker, waker):
    hint = messages.Hint("jobs.sweep", (), queue="urgent", expires=10, soft_time_limit=5)
    for _ in range(3):
        wakeups.wake(Chore)
        wakeups.send_soon(hint)
    broker.wait_for(2)
    assert set(broker.sent) == {Chore, hint}
