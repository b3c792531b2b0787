"""No request and no job waits for ever for a lock or a statement; after too long a wait, a page says so."""

import threading
import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from accounts.tests.factories import UserFactory
from payments.models import WebhookEvent
from payments.tests.test_migrate import connects_to, run
from payments.tests.test_webhook_endpoint import deliver, new_event
from tests.market import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def client():
    """A visitor who sees production's error page instead of the exception."""
    return Client(raise_request_exception=False)


def limit(**seconds):
    with connection.cursor() as cursor:
        for name, value in seconds.items():
            cursor.execute(f"SET {name} = '{value}s'")


@pytest.fixture(autouse=True)
def fresh_connection():
    """Settings made by a test end with its connection."""
    yield
    connection.close()


class Locked:
    """A table locked completely by another connection."""

    def __init__(self, table):
        self.table = table

    def __enter__(self):
        self.other = psycopg.connect(**connects_to(connection.settings_dict["NAME"]))
        self.other.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE")

    def __exit__(self, *_):
        self.other.rollback()
        self.other.close()


def test_each_new_connection_of_pages_and_jobs_has_the_limits():
    connection.close()
    with connection.cursor() as cursor:
        found = {}
        for name in NAMES:
            cursor.execute(f"SELECT extract(epoch FROM current_setting('{name}')::interval)")
            found[name] = int(cursor.fetchone()[0])
    assert found == {name: getattr(settings.DATABASE_LIMITS, name) for name in NAMES}
    assert found["lock_timeout"] == 5
    assert found["statement_timeout"] == 20


def test_migrations_and_other_commands_may_take_their_time_but_wait_for_no_lock():
    show = "from django.db import connection as c; u = c.cursor(); print([u.execute('SHOW ' + n).fetchone()[0] for n in (%s)])"
    said = run("manage.py", "shell", "-v0", "-c", show % str(NAMES)[1:-1], database_url=database_url())
    assert said.strip() == "['5s', '0', '0']"


def database_url():
    known = connects_to("postgres")
    return f"postgres://{known['user']}:{known['password']}@{known['host']}:{known['port']}/postgres"


def is_busy_page(response):
    return (
        response.status_code == 503
        and response.headers["Retry-After"] == "5"
        and "Back in a moment" in response.content.decode()
    )


def test_a_page_that_waits_too_long_for_a_lock_says_so_and_the_next_one_is_well(client):
    limit(lock_timeout=0.2)
    with Locked("catalogue_subject"):
        started = time.monotonic()
        assert is_busy_page(client.get("/browse/"))
        assert time.monotonic() - started < 5
    assert client.get("/browse/").status_code == 200


@pytest.mark.parametrize("table", ["django_session", "accounts_user"])
def test_so_does_one_that_waits_before_its_view(client, table):
    """Middleware reads sessions and users, and no other middleware sees its exceptions."""
    visitor = signed_in(UserFactory())
    visitor.raise_request_exception = False
    limit(lock_timeout=0.2)
    with Locked(table):
        assert is_busy_page(visitor.get("/my/orders/"))
    assert visitor.get("/my/orders/").status_code == 200


def test_so_does_one_whose_statement_takes_too_long(client):
    limit(lock_timeout=0, statement_timeout=0.2)
    with Locked("catalogue_subject"):
        assert is_busy_page(client.get("/browse/"))
    limit(statement_timeout=20)
    assert client.get("/browse/").status_code == 200


def test_so_does_one_that_finds_no_database(client, monkeypatch):
    connection.close()
    with monkeypatch.context() as broken:
        broken.setitem(connection.settings_dict, "PORT", "1")
        assert is_busy_page(client.get("/browse/"))
    assert client.get("/browse/").status_code == 200


def test_a_webhook_that_cannot_be_stored_in_time_is_asked_for_again(client):
    limit(lock_timeout=0.2)
    with Locked("payments_webhookevent"):
        response = deliver(new_event(), client=client, path="/api/webhooks/stripe")
    assert (response.status_code, response.json()) == (503, {"error": "Not stored. Please deliver again."})
    assert deliver(new_event()).status_code == 200


def test_a_mistake_of_ours_is_still_a_500(client, monkeypatch):
    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", lambda *_: 1 / 0)
    response = client.get("/browse/")
    assert response.status_code == 500
    assert "Retry-After" not in response.headers


def test_a_transaction_that_does_nothing_is_ended_and_its_page_may_be_asked_for_again(client, monkeypatch):
    def idles(*_, **__):
        with transaction.atomic():
            WebhookEvent.objects.select_for_update().count()
            time.sleep(0.6)
            WebhookEvent.objects.count()

    limit(idle_in_transaction_session_timeout=0.2)
    with monkeypatch.context() as slow:
        slow.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", idles)
        assert is_busy_page(client.get("/browse/"))
    assert client.get("/browse/").status_code == 200


def test_a_deadlock_is_busy_not_broken(client):
    """PostgreSQL ends one of the two transactions; the visitor can simply try again."""
    limit(deadlock_timeout=0.1)
    barrier = threading.Barrier(2)
    other = psycopg.connect(**connects_to(connection.settings_dict["NAME"]))

    def takes_them_the_other_way_round():
        other.execute("LOCK TABLE catalogue_subject IN ACCESS EXCLUSIVE MODE")
        barrier.wait()
        other.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        other.rollback()

    thread = threading.Thread(target=takes_them_the_other_way_round)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        thread.start()
        barrier.wait()
        time.sleep(0.1)
        response = client.get("/browse/")
        assert is_busy_page(response)
        transaction.set_rollback(True)
    thread.join()
    other.close()


def test_what_was_not_done_is_logged_with_postgresqls_reason(client, written_lines):
    limit(lock_timeout=0.2)
    with Locked("catalogue_subject"):
        client.get("/browse/")
    [line] = [line for line in written_lines() if line["event"] == "database_busy"]
    assert line["sqlstate"] == "55P03"
