"""A PostgreSQL data folder that holds the migrated database, made once and copied for each run of the tests.

Migrating takes half a minute; a copy takes a second. Each process of a run creates its database from the one in here.
It is made anew whenever a migration, a requirement or what is done after migrating has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from demo.processes import LineSink, stop_all
from demo.servers import RUNS_AS_ROOT, UNPRIVILEGED, PostgresServer, remove_data

CHECKOUT = Path(__file__).resolve().parents[1]
TEMPLATE = "migrated"
_KEPT = CHECKOUT / ".local" / "test" / "migrated"
_CHANGES_IT = ("*/migrations/*.py", "*/apps.py", "accounts/*.py", "tests/retreats/**/*.py", "requirements.txt")


def copy_migrated_cluster(server: PostgresServer, folder: Path, *, sink: LineSink) -> None:
    """Give a server that was never started a data folder with the migrated database `TEMPLATE`."""
    kept = _KEPT / _fingerprint()
    if not kept.exists():
        _make(kept, folder / "migrating", sink=sink)
    _copy(kept, server.home)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for file in sorted({file for pattern in _CHANGES_IT for file in CHECKOUT.glob(pattern)}):
        digest.update(str(file.relative_to(CHECKOUT)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _make(kept: Path, folder: Path, *, sink: LineSink) -> None:
    with _started_server(folder, sink=sink) as server:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        environment = os.environ | {"DATABASE_URL": server.url(TEMPLATE), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity=0"]
        subprocess.run(command, cwd=CHECKOUT, env=environment, check=True)
    _keep(server, kept)
    remove_data(folder)


def _keep(server: PostgresServer, kept: Path) -> None:
    # Named like the folder of a run, so that it is removed if this process is killed.
    half_made = kept.parents[1] / f"migrated-{os.getpid()}"
    half_made.mkdir()
    _copy(server.home, half_made)
    shutil.rmtree(kept.parent, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    try:
        half_made.rename(kept)
    except OSError:
        # Another run has made the same one meanwhile.
        shutil.rmtree(half_made)


@contextmanager
def _started_server(folder: Path, *, sink: LineSink) -> Iterator[PostgresServer]:
    server = PostgresServer(folder, sink=sink, is_durable=False)
    server.start()
    try:
        yield server
    finally:
        stop_all([server.process])


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source / "postgres", target / "postgres", symlinks=True)
    shutil.copy2(source / "postgres.password", target / "postgres.password")
    (target / "postgres").chmod(0o700)
    if RUNS_AS_ROOT:
        for path in [target / "postgres.password", target / "postgres", *(target / "postgres").rglob("*")]:
            shutil.chown(path, UNPRIVILEGED)
