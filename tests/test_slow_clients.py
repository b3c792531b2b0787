"""Clients that send or read a few bytes now and then hold up no other request, and are dropped after a while."""

import contextlib
import hashlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from config.web_worker import HEADERS_WITHIN_SECONDS, READS_WITHIN_SECONDS
from config.wsgi_bridge import BODY_GRACE_SECONDS
from demo.processes import Command, Process, answers_http, free_port
from demo.stack import CHECKOUT
from tests.served import LARGE

SLOW_CLIENTS = 30


@pytest.fixture(scope="module")
def server():
    """gunicorn with our configuration: two processes of four threads."""
    port = free_port()
    options = ["-c", "config/gunicorn.py", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    process = Process(
        Command(
            name="served",
            arguments=[sys.executable, "-m", "gunicorn", *options, "tests.served"],
            environment=lambda: {
                **os.environ,
                "LECTERN_ENV": "development",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            folder=CHECKOUT,
            is_ready=answers_http(f"http://127.0.0.1:{port}/"),
        ),
        lambda *_: None,
    )
    process.start()
    process.wait_until_ready()
    yield f"http://127.0.0.1:{port}"
    process.stop()


@contextlib.contextmanager
def connect(url, *, receive_buffer=0):
    with socket.socket() as client:
        prepare(client, url, receive_buffer)
        yield client


def prepare(client, url, receive_buffer):
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(90)
    client.connect(("127.0.0.1", urlsplit(url).port))


def trickle(client, text, ends_at):
    """Send a byte every two seconds until the server closes; return when it did."""
    while time.monotonic() < ends_at:
        try:
            client.sendall(text[:1])
            client.settimeout(2)
            if not client.recv(4096):
                return time.monotonic()
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic()
    return None


def slow_headers(url, ends_at):
    with connect(url) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        return trickle(client, b"a", ends_at)


def slow_body(url, ends_at):
    with connect(url) as client:
        client.sendall(b"POST /digest HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n\r\n")
        return trickle(client, b"a", ends_at)


def slow_reader(url, ends_at):
    return read_slowly(url, ends_at, path="/large")[1]


def read_slowly(url, ends_at, *, path, cookie="a=1"):
    """Read 64 bytes every two seconds; return what came, and when the server closed, if it did."""
    received = b""
    with connect(url, receive_buffer=4096) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        while time.monotonic() < ends_at:
            time.sleep(2)
            try:
                part = client.recv(64)
            except OSError:
                part = b""
            if not part:
                return received, time.monotonic()
            received += part
    return received, None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "given_up_within"),
    [
        (slow_headers, HEADERS_WITHIN_SECONDS),
        (slow_body, BODY_GRACE_SECONDS),
        (slow_reader, READS_WITHIN_SECONDS),
    ],
)
def test_pages_are_answered_beside_slow_clients_who_are_cut_off(server, kind, given_up_within):
    started = time.monotonic()
    ends_at = started + given_up_within + 25
    closed = [None] * SLOW_CLIENTS

    def be_slow(number):
        closed[number] = kind(server, ends_at)

    threads = [threading.Thread(target=be_slow, args=(number,)) for number in range(SLOW_CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    waits = []
    while time.monotonic() < started + min(given_up_within, 10):
        asked = time.monotonic()
        assert requests.get(f"{server}/", timeout=10).text == "well"
        digest = requests.post(f"{server}/digest", data=b"x" * 5000, timeout=10).text
        assert digest == f"5000 {hashlib.sha256(b'x' * 5000).hexdigest()}"
        waits.append(time.monotonic() - asked)
        time.sleep(0.1)
    # Slow only for what this machine does beside.
    assert sorted(waits)[len(waits) // 2] < 1
    assert max(waits) < 8
    for thread in threads:
        thread.join()
    if kind is not slow_reader:
        assert all(closed)
        assert max(closed) - started < given_up_within + 10
    assert requests.get(f"{server}/", timeout=10).text == "well"


@pytest.mark.slow
def test_an_answer_nobody_reads_is_given_up(server):
    with connect(server, receive_buffer=4096) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        time.sleep(READS_WITHIN_SECONDS + 5)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(1 << 20):
                received += len(part)
        assert received < len(LARGE)


def test_a_large_answer_and_a_large_body_come_whole(server):
    assert requests.get(f"{server}/large", timeout=60).content == LARGE
    body = os.urandom(3_000_000)
    said = requests.post(f"{server}/digest", data=body, timeout=60).text
    assert said == f"3000000 {hashlib.sha256(body).hexdigest()}"


def test_a_body_larger_than_its_address_takes_is_not_waited_for(server):
    with connect(server) as client:
        client.sendall(b"POST /digest HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99000000\r\n\r\nstart")
        client.settimeout(5)
        answer = client.recv(4096)
        # The site is asked with the length and without the body; Lectern's answer is 413.
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer.lower()


def test_a_body_without_a_length_is_left_unread(server):
    said = requests.post(f"{server}/digest", data=iter([b"abc", b"def"]), timeout=10).text
    assert said.startswith("0 ")


def test_the_site_sees_the_request_as_it_was_sent(server):
    headers = {"X-Forwarded-For": "1.2.3.4", "Cookie": "a=1; b=2", "Content-Type": "text/x", "X_Forged": "1"}
    response = requests.post(f"{server}/environ?q=caf%C3%A9&r=%2F", data=b"x", headers=headers, timeout=10)
    assert response.headers["X-Twice"] == "1, 2"
    seen = dict(line.split("=", 1) for line in response.text.splitlines())
    assert seen["QUERY_STRING"] == "'q=caf%C3%A9&r=%2F'"
    assert seen["HTTP_COOKIE"] == "'a=1; b=2'"
    assert seen["HTTP_X_FORWARDED_FOR"] == "'1.2.3.4'"
    assert seen["CONTENT_TYPE"] == "'text/x'"
    assert seen["CONTENT_LENGTH"] == "'1'"
    assert seen["REMOTE_ADDR"] == "'127.0.0.1'"
    assert seen["wsgi.url_scheme"] == "'http'"
    assert "HTTP_X_FORGED" not in seen
    assert requests.get(f"{server}/caf%C3%A9%2Fx", timeout=10).content == "/café/x".encode()


def test_an_exception_is_a_500_and_the_next_request_is_well(server):
    with requests.Session() as browser:
        assert browser.get(f"{server}/broken", timeout=10).status_code == 500
        assert browser.get(f"{server}/", timeout=10).text == "well"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE"])
def test_every_method_is_passed_on(server, method):
    response = requests.request(method, f"{server}/", timeout=10)
    assert response.status_code == 200
    assert response.text == ("" if method == "HEAD" else "well")


def test_a_kept_connection_serves_many_requests(server):
    with requests.Session() as browser:
        for number in range(50):
            assert browser.post(f"{server}/digest", data=b"x" * number, timeout=10).text.startswith(f"{number} ")


def test_two_requests_sent_at_once_are_answered_in_order(server):
    with connect(server) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := client.recv(65536):
            answer += part
        assert answer.index(b"done") < answer.index(b"well")


@pytest.mark.slow
def test_a_process_that_ends_finishes_what_it_does_and_waits_for_no_idle_browser(server):
    """As when it is replaced, or when the site is deployed."""
    with requests.Session() as idle:
        pid = int(idle.get(f"{server}/pid", timeout=10).text)
        answers = []
        busy = [
            threading.Thread(target=lambda: answers.append(requests.get(f"{server}/slow", timeout=20).text))
            for _ in range(6)
        ]
        for thread in busy:
            thread.start()
        time.sleep(0.5)
        asked = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        for thread in busy:
            thread.join()
        assert answers == ["done"] * 6
        while Path(f"/proc/{pid}").exists() and time.monotonic() - asked < 30:
            time.sleep(0.1)
        assert time.monotonic() - asked < 12
    assert requests.get(f"{server}/", timeout=10).text == "well"
