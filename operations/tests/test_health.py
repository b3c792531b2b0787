"""/healthz and /readyz: alive without anything else, ready only with what serves people needs, and no secrets."""

import socket
import threading
import time

import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.test import Client

from operations.metrics import readiness


@pytest.fixture(autouse=True)
def look_again():
    readiness._is_migrated.clear()
    yield
    readiness._is_migrated.clear()


@pytest.fixture
def silent_server():
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: [server.accept() for _ in range(20)], daemon=True).start()
        yield server.getsockname()[1]


def test_a_process_is_alive_whatever_else_is_down(settings, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"alive\n")


@pytest.mark.django_db
def test_the_site_is_ready_and_says_of_which_parts():
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_without_its_database_it_is_not_ready_and_names_no_secret(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "database": "down", "migrations": "down", "redis": "ok"}
    assert connection.settings_dict["PASSWORD"] not in answer.content.decode()


@pytest.mark.django_db
def test_a_database_that_says_nothing_is_given_up_within_seconds(monkeypatch, silent_server):
    monkeypatch.setitem(connection.settings_dict, "PORT", silent_server)
    began = time.monotonic()
    assert Client().get("/readyz").status_code == 503
    assert time.monotonic() - began < 4


@pytest.mark.django_db
def test_without_redis_it_stays_in_service_but_not_for_those_who_watch(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["redis"]) == (200, "degraded", "down")
    assert Client().get("/readyz?strict=1").status_code == 503


@pytest.mark.django_db
def test_a_redis_that_says_nothing_is_given_up_within_seconds(settings, silent_server):
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_server}/0"
    began = time.monotonic()
    assert Client().get("/readyz").json()["redis"] == "down"
    assert time.monotonic() - began < 4


@pytest.mark.django_db(transaction=True)
def test_a_release_whose_migrations_are_not_applied_is_not_ready():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'jobs' RETURNING app, name, applied")
        (removed,) = cursor.fetchall()
    try:
        answer = Client().get("/readyz")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", removed)
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["migrations"]) == ("ok", "down")
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_ask_over_plain_http_and_by_the_address_of_the_machine(settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert site_settings.MIDDLEWARE.index("operations.metrics.middleware.ProbeMiddleware") == 1
    assert Client(HTTP_HOST="10.1.2.3:8000").get(path).status_code == 200
