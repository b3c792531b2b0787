"""Counts of several processes are one sum, which never falls when processes end, however they end."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from demo.processes import free_port
from demo.stack import CHECKOUT
from operations.metrics.files import archive_ended
from operations.tests.test_metrics import TOKEN, read_samples, value

COUNT = """
import os, sys, time
from prometheus_client import Counter, Gauge, Histogram
Counter("canary_total", "x", ["a"]).labels("b").inc(int(sys.argv[1]))
Histogram("canary_seconds", "x").observe(0.2)
Gauge("canary_down", "x", multiprocess_mode="livemax").set(1)
print("counted", flush=True)
time.sleep(600 if sys.argv[2] == "stay" else 0)
"""
READ = """
import sys
from pathlib import Path
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from operations.metrics.files import reading
folder = Path(sys.argv[1])
with reading(folder):
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    print(generate_latest(registry).decode())
"""


def start(code, folder, *arguments):
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )


def read(folder):
    text, _ = start(READ, folder, str(folder)).communicate(timeout=60)
    return read_samples(text)


def test_counts_stay_and_files_go_when_processes_end(tmp_path):
    stays = start(COUNT, tmp_path, "1", "stay")
    stays.stdout.readline()
    for amount in (10, 20):
        start(COUNT, tmp_path, str(amount), "end").communicate(timeout=60)
    killed = start(COUNT, tmp_path, "300", "stay")
    killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    for _ in range(2):
        samples = read(tmp_path)
        assert value(samples, "canary_total", a="b") == 331
        assert value(samples, "canary_seconds_count") == 4
        assert value(samples, "canary_seconds_bucket", le="0.25") == 4
        assert value(samples, "canary_down") == 1
    of_ended = [path.name for path in tmp_path.glob("*.db") if not path.name.endswith(f"_{stays.pid}.db")]
    assert sorted(of_ended) == ["counter_0.db", "histogram_0.db"]
    stays.kill()
    stays.communicate()
    archive_ended(tmp_path)
    samples = read(tmp_path)
    assert value(samples, "canary_total", a="b") == 331
    # A gauge says how things are, so it ends with its process.
    assert ("canary_down",) not in samples


@pytest.mark.slow
def test_a_real_server_tells_the_same_sum_whichever_process_answers_and_after_all_were_replaced(tmp_path):
    port, folder = free_port(), tmp_path / "metrics"
    environment = os.environ | {
        "PORT": str(port), "WEB_CONCURRENCY": "2", "METRICS_TOKEN": TOKEN, "METRICS_FOLDER": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings", "LECTERN_ENV": "development",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
    server = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL)
    try:
        wait_for_health(port)
        for _ in range(30):
            ask(port, "/canary/")
        assert {counted(port) for _ in range(8)} == {30.0}
        os.kill(server.pid, signal.SIGHUP)  # replaces all processes
        ends_at = time.monotonic() + 60
        while not (folder / "counter_0.db").exists() and time.monotonic() < ends_at:
            time.sleep(0.2)
        wait_for_health(port)
        assert counted(port) == 30.0
        assert (folder / "counter_0.db").exists()
    finally:
        server.terminate()
        server.wait(timeout=40)


def ask(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def counted(port):
    _, text = ask(port, "/metrics")
    # Whatever the answer is: this server's database is empty.
    return sum(number for (name, *_), number in read_samples(text).items() if name == "lectern_requests_total")


def wait_for_health(port):
    ends_at = time.monotonic() + 90
    while True:
        try:
            if ask(port, "/healthz")[0] == 200:
                return
        except OSError:
            assert time.monotonic() < ends_at
        time.sleep(0.3)


def test_a_worker_serves_its_metrics_on_a_port_of_its_own(settings, db):
    from operations.metrics.listener import listen

    settings.METRICS_TOKEN = TOKEN
    settings.TRUSTED_PROXY_COUNT = 1
    settings.METRICS_NETWORKS = []
    server = listen(0, host="127.0.0.1")
    try:
        port = server.server_port
        assert ask(port, "/healthz") == (200, "alive\n")
        status, text = ask(port, "/metrics")
        assert status == 200
        assert "lectern_queue_length" in text
        request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"X-Forwarded-For": "10.0.0.1"})
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(request, timeout=20)
    finally:
        server.shutdown()
        server.server_close()


def test_folder_of_a_killed_reader_is_read_on(tmp_path):
    start(COUNT, tmp_path, "5", "end").communicate(timeout=60)
    (tmp_path / "counter_999999999.db").write_bytes(b"")
    assert value(read(tmp_path), "canary_total", a="b") == 5
    assert json.dumps([path.name for path in Path(tmp_path).glob("*.ended")]) == "[]"
