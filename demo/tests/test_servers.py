import stat

import psycopg
import pytest

from demo.processes import stop_all
from demo.servers import (
    RUNS_AS_ROOT,
    PostgresServer,
    RedisServer,
    create_missing_database,
    redis_answers,
    remove_data,
)
from demo.stack import CHECKOUT

FOLDER = CHECKOUT / ".local" / "test"


def keep_quiet(name, line):
    pass


@pytest.fixture
def folder(request):
    """A folder like the demo's: pytest's own temporary folders are closed to other users."""
    folder = FOLDER / f"servers-test-{request.node.name}"
    yield folder
    remove_data(folder)


def test_postgres_keeps_its_data_and_needs_its_password(folder):
    server = PostgresServer(folder, sink=keep_quiet, is_durable=False)
    server.start()
    try:
        create_missing_database(server.url("lectern"))
        create_missing_database(server.url("lectern"))
        with psycopg.connect(server.url("lectern")) as connection:
            assert connection.info.server_version >= 180000
            connection.execute("create table kept as select 1 as number")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url("lectern").replace(server.password, "wrong"))
        server.process.kill()
        server.start()
        with psycopg.connect(server.url("lectern")) as connection:
            assert connection.execute("select number from kept").fetchone() == (1,)
    finally:
        stop_all([server.process])


def test_a_server_left_behind_gives_way_to_the_next_start(folder):
    left_behind = PostgresServer(folder, sink=keep_quiet, is_durable=False)
    left_behind.start()
    successor = PostgresServer(folder, sink=keep_quiet, is_durable=False)
    try:
        successor.start()
        assert not left_behind.process.is_running
    finally:
        stop_all([left_behind.process, successor.process])


@pytest.mark.skipif(not RUNS_AS_ROOT, reason="only root's PostgreSQL runs as another user")
def test_under_a_folder_closed_to_others_the_data_goes_elsewhere_and_nothing_is_opened(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    server = PostgresServer(folder / "inner", sink=keep_quiet, is_durable=False)
    try:
        server.start()
        assert CHECKOUT not in server.home.parents
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        psycopg.connect(server.url("postgres")).close()
    finally:
        stop_all([server.process])
        remove_data(folder / "inner")
    assert not server.home.exists()


def test_redis_needs_its_password_and_writes_nothing(folder):
    server = RedisServer(folder, sink=keep_quiet)
    server.start()
    try:
        assert redis_answers(server.url())
        assert not redis_answers(server.url().replace(server.password, "wrong"))
    finally:
        stop_all([server.process])
    assert [path.name for path in folder.iterdir()] == ["redis.conf"]
    assert stat.S_IMODE((folder / "redis.conf").stat().st_mode) == 0o600
