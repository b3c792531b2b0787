"""The demo as a person runs it: in a process of its own, with signals."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from demo.servers import remove_data
from demo.stack import CHECKOUT

FOLDER = CHECKOUT / ".local" / "test" / f"demo-{os.getpid()}"
NOT_FOR_THE_DEMO = re.compile(r"DATABASE_URL|REDIS_URL|BASE_URL|DJANGO_SETTINGS_MODULE|STRIPE_|SANDBOX_|PYTEST_|DEBUG")
READY_WITHIN = 180

pytestmark = pytest.mark.slow


class RunningDemo:
    def __init__(self):
        environment = {name: value for name, value in os.environ.items() if not NOT_FOR_THE_DEMO.match(name)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo", "--folder", str(FOLDER)],
            cwd=CHECKOUT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self.process.stdout as output:
            for line in output:
                self.said.append(line)

    @property
    def text(self):
        return "".join(self.said)

    def wait_for(self, words):
        gives_up_at = time.monotonic() + READY_WITHIN
        while words not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < gives_up_at, self.text
            time.sleep(0.2)

    def descendants(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait_for_end(self, within):
        code = self.process.wait(timeout=within)
        self._reader.join(timeout=2)
        return code


@pytest.fixture(scope="module", autouse=True)
def _folder():
    yield
    remove_data(FOLDER)


@pytest.fixture
def demo():
    running = RunningDemo()
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def left_over(processes):
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_ctrl_c_stops_everything_and_a_second_demo_steps_aside(demo):
    demo.wait_for("Ctrl-C stops everything")
    for words in ("student@demo.example", "/demo/mailbox/", "Payments sandbox", "4242 4242 4242 4242"):
        assert words in demo.text

    second = RunningDemo()
    assert second.wait_for_end(within=30) == 0
    assert "already runs from here: http://127.0.0.1:" in second.text

    started = demo.descendants()
    assert len(started) > 10
    demo.process.send_signal(signal.SIGINT)
    asked_at = time.monotonic()
    assert demo.wait_for_end(within=30) == 0
    assert time.monotonic() - asked_at < 15
    assert left_over(started) == []


def test_the_death_of_one_process_is_named_and_ends_the_rest(demo):
    demo.wait_for("Ctrl-C stops everything")
    started = demo.descendants()
    # Celery changes its processes' titles where setproctitle is installed, so its words are no longer separate arguments.
    next(process for process in started if "beat" in " ".join(process.cmdline())).kill()
    assert demo.wait_for_end(within=60) == 1
    assert "beat was ended by signal SIGKILL" in demo.text
    assert "cannot go on without beat" in demo.text
    assert left_over(started) == []
    assert "Traceback" not in demo.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell children of their parent's death")
def test_even_a_killed_demo_leaves_nothing_running(demo):
    demo.wait_for("PostgreSQL 18 listens")
    started = demo.descendants()
    demo.process.kill()
    demo.process.wait()
    gives_up_at = time.monotonic() + 15
    while left_over(started) and time.monotonic() < gives_up_at:
        time.sleep(0.1)
    assert left_over(started) == []
