import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from demo.processes import Command, DidNotStart, Process, answers_http, free_port, stop_all

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid, flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def lines():
    return []


@pytest.fixture
def run(lines):
    started = []

    def run(code, **options):
        command = Command(
            name="test",
            arguments=[sys.executable, "-c", code],
            environment=lambda: dict(os.environ),
            folder=Path.cwd(),
            **{"grace": 1.0, "ready_within": 10.0} | options,
        )
        process = Process(command, lambda name, line: lines.append((name, line)))
        started.append(process)
        process.start()
        return process

    yield run
    for process in started:
        process.kill()


def is_alive(pid):
    try:
        # A zombie that no parent collects counts as gone.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False


def test_a_process_is_ready_once_it_says_so_even_in_colour(run, lines):
    process = run(r"import time; print('\x1b[1mI am ready.\x1b[0m', flush=True); time.sleep(60)", ready_line="ready")
    process.wait_until_ready()
    assert ("test", "I am ready.") in lines


def test_a_process_that_ends_before_it_is_ready_is_reported_with_its_last_words(run):
    process = run("print('no such file'); raise SystemExit(3)", ready_line="never")
    with pytest.raises(DidNotStart, match=r"ended with code 3(.|\n)*no such file"):
        process.wait_until_ready()


def test_a_process_that_stays_silent_is_given_up(run):
    process = run("import time; time.sleep(60)", ready_line="never", ready_within=0.3)
    with pytest.raises(DidNotStart, match="not ready after"):
        process.wait_until_ready()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_stopping_leaves_nothing_of_what_the_process_started(run, lines):
    process = run(PARENT, ready_line="child")
    process.wait_until_ready()
    child = int(lines[0][1].split()[1])
    assert is_alive(child)
    process.stop()
    time.sleep(0.1)
    assert not is_alive(child)
    assert not process.is_running


def test_a_process_that_ignores_its_signal_is_killed_after_its_grace(run):
    process = run(STUBBORN, ready_line="up", grace=0.5)
    process.wait_until_ready()
    began = time.monotonic()
    process.stop()
    assert 0.4 < time.monotonic() - began < 3
    assert process.exit_code == -signal.SIGKILL


def test_several_processes_are_stopped_side_by_side(run):
    processes = [run(STUBBORN, ready_line="up", grace=1.0) for _ in range(3)]
    for process in processes:
        process.wait_until_ready()
    began = time.monotonic()
    stop_all(processes)
    assert time.monotonic() - began < 2.5
    assert not any(process.is_running for process in processes)


def test_a_killed_process_can_be_started_again(run):
    process = run("import time; print('up', flush=True); time.sleep(60)", ready_line="up")
    process.wait_until_ready()
    first = process.pid
    process.kill()
    assert "SIGKILL" in process.obituary()
    process.start()
    process.wait_until_ready()
    assert process.pid != first


def test_a_port_in_use_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_a_port_just_given_up_is_free():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert free_port(port) == port


def test_an_address_without_an_answer_is_not_ready():
    assert not answers_http(f"http://127.0.0.1:{free_port()}/")()
