import socket
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from config.stripe_keys import SANDBOX_WEBHOOK_SECRET
from demo.ports import LISTENER
from demo.processes import DidNotStart
from demo.stack import Stack


@pytest.fixture
def make_stack(tmp_path):
    made = []

    def make(**environment):
        given = {"DATABASE_URL": "postgres://127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1/0"} | environment
        made.append(Stack(folder=tmp_path, environment=given, sink=lambda name, line: None))
        return made[-1]

    yield make
    for stack in made:
        stack.stop()


def test_the_sandbox_signs_with_the_secret_the_site_expects(make_stack):
    assert make_stack().environment()["SANDBOX_WEBHOOK_SECRET"] == SANDBOX_WEBHOOK_SECRET


def test_given_servers_are_used_and_none_started(make_stack):
    stack = make_stack()
    assert stack.servers == []
    assert stack.environment()["DATABASE_URL"] == "postgres://127.0.0.1/x"
    assert stack.environment()["REDIS_URL"] == "redis://127.0.0.1/0"


def test_with_a_key_of_ones_own_there_is_no_sandbox(make_stack):
    assert "sandbox" in [process.name for process in make_stack().site]
    with_key = make_stack(STRIPE_SECRET_KEY="sk_test_1")
    assert "sandbox" not in [process.name for process in with_key.site]


def test_a_given_address_is_kept_and_its_port_listened_on(make_stack):
    stack = make_stack(BASE_URL="http://127.0.0.1:8765/")
    assert stack.environment()["BASE_URL"] == "http://127.0.0.1:8765"
    assert LISTENER in stack.web.command.arguments
    assert stack.web.command.port.number == 8765


@contextmanager
def a_stranger_at(port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield


def test_ports_are_taken_at_once_and_stay_taken_until_the_programs_have_them(make_stack):
    stack = make_stack()
    for address in (stack.base_url, stack.sandbox_url):
        with pytest.raises(OSError, match="in use"), a_stranger_at(urlsplit(address).port):
            pass
    # Another site of this machine finds others.
    other = make_stack()
    assert {other.base_url, other.sandbox_url}.isdisjoint({stack.base_url, stack.sandbox_url})


def test_a_stranger_at_a_given_address_is_not_taken_for_the_site(make_stack):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(DidNotStart, match="used by another program"):
            make_stack(BASE_URL=f"http://127.0.0.1:{stranger.getsockname()[1]}")


def test_the_sandbox_is_given_its_port_and_can_be_started_there_again(make_stack):
    stack = make_stack()
    for _ in range(2):
        stack.sandbox.start()
        stack.sandbox.wait_until_ready()
        assert requests.get(f"{stack.sandbox_url}/_sandbox/health", timeout=10).ok
        stack.sandbox.kill()
        # Let go with the process, so that what it leaves is refused, not kept waiting.
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{stack.sandbox_url}/_sandbox/health", timeout=2)


def test_a_port_taken_while_its_process_was_dead_is_reported(make_stack):
    stack = make_stack()
    stack.sandbox.start()
    stack.sandbox.wait_until_ready()
    stack.sandbox.kill()
    with a_stranger_at(urlsplit(stack.sandbox_url).port), pytest.raises(DidNotStart, match="sandbox cannot start"):
        stack.sandbox.start()


def test_the_sandbox_does_not_inherit_the_sites_django_settings(make_stack):
    assert "DJANGO_SETTINGS_MODULE" not in make_stack(DJANGO_SETTINGS_MODULE="config.settings").environment()
