"""Lectern behind PgBouncer in transaction mode: each transaction may use another connection."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from demo.processes import free_port
from payments.tests.test_migrate import an_empty_database, run

POOL_SIZE = 2


@pytest.fixture
def pooled(tmp_path):
    """An empty database, its address, and the address of a pooler in front of it."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(program).exists():
        pytest.skip("PgBouncer is not installed (on Debian: apt-get install pgbouncer)")
    with an_empty_database("lectern_pooled") as (parameters, direct):
        parts, port = urlsplit(direct), free_port()
        name = parameters["dbname"]
        lines = [
            "[databases]",
            f"{name} = host={parts.hostname} port={parts.port} user={parts.username} password={parts.password}",
            "[pgbouncer]",
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any",
            # PgBouncer must refuse further startup parameters, as it does by default.
            f"pool_mode = transaction\ndefault_pool_size = {POOL_SIZE}\nmax_client_conn = 50\nignore_startup_parameters =",
            *(["user = nobody"] if os.geteuid() == 0 else []),
        ]
        configuration = tmp_path / "pgbouncer.ini"
        configuration.write_text("\n".join(lines) + "\n")
        with (tmp_path / "pgbouncer.log").open("w") as log:
            pooler = subprocess.Popen([program, str(configuration)], stdout=log, stderr=log)
        try:
            address = f"postgres://{parts.username}@127.0.0.1:{port}/{name}"
            wait_for(port)
            yield direct, address
        finally:
            pooler.terminate()
            pooler.wait(timeout=10)


def wait_for(port):
    """Wait without signing in: the pooler would open a connection, and a role's settings apply only to later ones."""
    ends_at = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            assert time.monotonic() < ends_at
            time.sleep(0.1)
        else:
            return


@pytest.mark.slow
def test_people_buy_and_workers_deliver_through_a_pooler(pooled, monkeypatch):
    direct, address = pooled
    monkeypatch.setenv("DATABASE_POOLED", "1")
    monkeypatch.setenv("DATABASE_DIRECT_URL", direct)
    monkeypatch.setenv("DATABASE_LOCK_SECONDS", "4")
    monkeypatch.setenv("DATABASE_IDLE_SECONDS", "30")
    run("manage.py", "migrate", "--skip-checks", "-v0", database_url=address)
    said = json.loads(run("-m", "tests.buying_behind_a_pooler", database_url=address).splitlines()[-1])
    assert said["answers"] == [200]
    assert said["orders"] == ["completed"] * 6
    assert said["events"] == ["done"] * 6
    assert said["turns"] == [True, False]
    # Who changes what is said for a transaction, so that it is neither lost nor left on a shared connection.
    assert said["named"] == [True] * 30
    # They came from the role: nothing was sent with a connection, nothing was set by a statement.
    assert said["limits"] == {
        "lock_timeout": "4000", "statement_timeout": "20000", "idle_in_transaction_session_timeout": "30000",
    }  # fmt: skip
    assert said["connections"] <= POOL_SIZE
    assert limits_left_by_sessions(address) == {"4s"}


def limits_left_by_sessions(address):
    """The limits that another client finds on the pooler's connections afterwards."""
    found = set()
    for _ in range(POOL_SIZE * 3):
        with psycopg.connect(address, autocommit=True) as connection:
            found.add(connection.execute("SHOW lock_timeout").fetchone()[0])
    return found
