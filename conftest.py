"""Servers for the tests, and no connections to other machines.

DATABASE_URL and REDIS_URL are used if given. Otherwise one embedded PostgreSQL and one Redis are started for the whole
run, however many processes share it, and stopped at its end. This must happen before Django reads its settings, so it
is done here while this file is imported, and the settings' name is not in pytest's configuration.
"""

import atexit
import gc
import io
import json
import logging
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import django
import environ
import pytest
from django.conf import settings as django_settings
from django.core.management.commands import flush
from xdist.scheduler import LoadScopeScheduling

from config.logging import apply as apply_logging
from config.logging import logging_settings
from demo.processes import stop_all
from demo.servers import PostgresServer, RedisServer, remove_data
from tests.migrated_cluster import TEMPLATE, copy_migrated_cluster

CHECKOUT = Path(__file__).resolve().parent
RUNS = CHECKOUT / ".local" / "test"
IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ


def start_missing_servers():
    """Start the servers that no variable names. Each run has its own folder, so two runs at once do not collide."""
    if (CHECKOUT / ".env").exists():
        environ.Env.read_env(CHECKOUT / ".env")
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    forget_runs_that_were_killed()
    folder = RUNS / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    atexit.register(remove_data, folder)
    logs = (folder / "servers.log").open("w", buffering=1)
    atexit.register(logs.close)

    def keep(name, line):
        if not logs.closed:
            logs.write(f"{name}: {line}\n")

    if not os.environ.get("DATABASE_URL"):
        postgres = PostgresServer(folder, sink=keep, is_durable=False, max_connections=300)
        copy_migrated_cluster(postgres, folder, sink=keep)
        postgres.start()
        atexit.register(stop_all, [postgres.process])
        os.environ["DATABASE_URL"] = postgres.url("postgres")
        os.environ["TEST_DATABASE_TEMPLATE"] = TEMPLATE
    if not os.environ.get("REDIS_URL"):
        redis = RedisServer(folder, sink=keep)
        redis.start()
        atexit.register(stop_all, [redis.process])
        os.environ["REDIS_URL"] = redis.url()


def forget_runs_that_were_killed():
    for folder in RUNS.glob("*-*"):
        try:
            os.kill(int(folder.name.partition("-")[2]), 0)
        except ProcessLookupError:
            remove_data(folder)
        except (PermissionError, ValueError):
            continue


def allow_only_this_machine():
    """Refuse connections to anywhere else, so that no test can depend on the network or leak into it."""
    allowed = {"localhost", "127.0.0.1", "::1", ""}
    allowed |= {urlsplit(os.environ[name]).hostname or "" for name in ("DATABASE_URL", "REDIS_URL")}

    def guarded(original):
        def connect(self, address, *arguments):
            if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in allowed:
                raise AssertionError(f"A test tried to reach {address[0]}; tests stay on this machine.")
            return original(self, address, *arguments)

        return connect

    look_up = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        if host not in allowed and host is not None:
            raise AssertionError(f"A test tried to look up {host}; tests stay on this machine.")
        return look_up(host, *arguments, **options)

    socket.socket.connect = guarded(socket.socket.connect)
    socket.socket.connect_ex = guarded(socket.socket.connect_ex)
    socket.getaddrinfo = getaddrinfo


os.environ["LECTERN_ENV"] = "development"
# pytest-django migrates in this process, not through manage.py, and on a busy machine Python pauses between statements.
os.environ.setdefault("DATABASE_IDLE_SECONDS", "300")
# The site with a fourth domain, so that every test shows that nothing depends on there being exactly three.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
if not IS_XDIST_WORKER:
    start_missing_servers()
allow_only_this_machine()

# Now that the servers are known, because the conftest files in subfolders import models.
django.setup()


KEPT_BETWEEN_TESTS = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
# Rows that migrations wrote into a table that tests write to as well.
KEPT_ROWS = {"pages_pageversion": "published_by_id IS NULL"}


def statements_that_empty(connection):
    """Empty only tables with rows. Django empties all 110 after each test that commits: half a second each time."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS ("
                f"SELECT FROM {connection.ops.quote_name(table)} WHERE NOT ({KEPT_ROWS.get(table, 'FALSE')}))"
                for table in sorted(tables - KEPT_BETWEEN_TESTS)
            )
        )
        filled = [table for (table,) in cursor.fetchall()]
        # Triggers that keep the books: off only for this statement, in this transaction.
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgtype & 32 <> 0 AND NOT tgisinternal"
        )
        guards = [f"ALTER TABLE {table} %s TRIGGER {name}" for table, name in cursor.fetchall() if table in filled]
    if not filled:
        return []
    truncate = f"TRUNCATE {', '.join(map(connection.ops.quote_name, filled))} CASCADE"
    keep, put_back = [], []
    for table, condition in KEPT_ROWS.items():
        keep.append(f"CREATE TEMPORARY TABLE kept_{table} ON COMMIT DROP AS SELECT * FROM {table} WHERE {condition}")
        # Emptied only if something that it refers to was.
        put_back.append(f"INSERT INTO {table} SELECT * FROM kept_{table} ON CONFLICT DO NOTHING")
    return [*keep, *(one % "DISABLE" for one in guards), truncate, *put_back, *(one % "ENABLE" for one in guards)]


@pytest.fixture(autouse=True, scope="session")
def quick_flush():
    """After a test that commits, keep the rows that every database begins with; Django would make them again."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flush, "sql_flush", lambda _style, connection, **_options: statements_that_empty(connection))
        patched.setattr(flush, "emit_post_migrate_signal", lambda *_arguments, **_options: None)
        yield


def pytest_collection_finish():
    """Freeze the objects loaded for all tests: searching them for garbage again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()


# Tests that run a whole site: two at once leave no time for anything else.
TESTS_OF_THE_SITE = ("tests/browser/", "tests/simulation/", "demo/tests/test_running_the_demo.py")
# Files whose tests share a slow set-up: done once, not once in each process.
SET_UP_ONCE = (
    "sandbox/tests/test_djstripe.py",
    "sandbox/tests/test_dashboard_in_a_browser.py",
    "tests/test_migrations_move_data.py",
)


class OneSite(LoadScopeScheduling):
    """Distributes tests one by one, but gives all tests of a running site, or of a shared set-up, to the same process.

    Tests are grouped by folder: `--dist loadgroup` puts a group into a test's id, which pytest 9.2 does not let it
    change, so it silently distributes every test alone (pytest-xdist#1386). Each process would then start a site.
    """

    def _split_scope(self, nodeid):
        if nodeid.startswith(TESTS_OF_THE_SITE):
            return "site"
        file = nodeid.partition("::")[0]
        return file if file in SET_UP_ONCE else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return OneSite(config, log)


def pytest_collection_modifyitems(items):
    # The longest first: all other processes wait for a long test that is begun last. Not the tests of the site, which
    # find in its data what earlier tests left.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None or item.nodeid.startswith(TESTS_OF_THE_SITE))
    astray = [
        item.nodeid
        for item in items
        if "running_site" in getattr(item, "fixturenames", ()) and not item.nodeid.startswith(TESTS_OF_THE_SITE)
    ]
    if astray:
        raise pytest.UsageError(f"Tests of the running site belong below {TESTS_OF_THE_SITE}: {astray}")


@pytest.fixture(autouse=True)
def cheap_passwords(settings):
    """Hashing a password takes a third of a second, on purpose; tests make people by the hundred."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def written_lines():
    """What production would log, as one dictionary for each line; at DEBUG, where the most is logged."""
    apply_logging(logging_settings(as_json=True, level="DEBUG", ours=["config", "payments", "accounts", "jobs"]))
    written = io.StringIO()
    (handler,) = (one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler)
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    apply_logging(django_settings.LOGGING)
