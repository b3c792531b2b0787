from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from jobs import registry, wakeups
from jobs.tests.chores import performers  # noqa: F401  # registers what a chore does
from jobs.tests.chores.models import Chore
from jobs.tests.servers import CeleryProcess, RedisServer


@pytest.fixture(scope="session")
def chores_table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS chores_chore")
        with connection.schema_editor() as editor:
            editor.create_model(Chore)
    yield
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.delete_model(Chore)


@pytest.fixture
def wakes(monkeypatch):
    """The kinds of work that a worker was woken for; no message is sent."""
    asked = []
    monkeypatch.setattr(wakeups, "_waker", wakeups.Waker(asked.append))
    monkeypatch.setattr(wakeups._waker, "ask", asked.append)
    return asked


@pytest.fixture
def chores(chores_table, db, wakes, monkeypatch):
    """The kind of work for tests, in the test's own transaction, known to the sweep and to the drain task."""
    monkeypatch.setattr(registry, "work_models", lambda: [Chore])
    return Chore.objects


@pytest.fixture
def committed_chores(chores_table, transactional_db, wakes, monkeypatch):
    """The same with real commits, for tests with several connections."""
    monkeypatch.setattr(registry, "work_models", lambda: [Chore])
    yield Chore.objects
    Chore.objects.all().delete()


@pytest.fixture
def let_leases_end():
    def end():
        Chore.objects.filter(state="running").update(run_after=Now() - timedelta(seconds=1))

    return end


@pytest.fixture
def redis_server(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.close()


@pytest.fixture
def start_celery(redis_server, tmp_path, committed_chores):
    """Starts worker and beat processes on the tests' own Redis and database; ends them with the test."""
    started = []

    def start(*arguments, **environment):
        process = CeleryProcess(redis_server, tmp_path / f"celery{len(started)}.log", *arguments, **environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
