"""Whether the site can serve people now: database, migrations, Redis. Each is asked with a short time limit."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import Event

import psycopg
import redis
import structlog
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

log = structlog.get_logger(__name__)

_SECONDS = 2
# Migrations of this release do not come undone while it runs, so they are looked up until they are there.
_is_migrated = Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What works."""

    database: bool
    migrations: bool
    redis: bool

    @property
    def can_serve(self) -> bool:
        return self.database and self.migrations

    @property
    def is_whole(self) -> bool:
        return self.can_serve and self.redis

    @property
    def parts(self) -> Mapping[str, bool]:
        return {"database": self.database, "migrations": self.migrations, "redis": self.redis}


def read_readiness() -> Readiness:
    """Ask each part."""
    has_database = _ask_database()
    return Readiness(database=has_database, migrations=has_database and _is_migrated.is_set(), redis=_ask_redis())


def _ask_database() -> bool:
    """Whether a new connection is accepted and answers; also looks for missing migrations.

    Not this thread's connection, which may be open while the server accepts no more.
    """
    # libpq gives up a server that takes packets and does not answer only with `tcp_user_timeout`.
    limits = {"connect_timeout": _SECONDS, "tcp_user_timeout": _SECONDS * 1000}
    known = {name: value for name, value in connection.get_connection_params().items() if name in _OF_LIBPQ}
    try:
        with closing(psycopg.connect(**{**known, **limits})) as asked:
            asked.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'")
            if not _is_migrated.is_set() and not (missing := _expected_migrations() - _applied(asked)):
                _is_migrated.set()
            elif not _is_migrated.is_set():
                log.warning("migrations_missing", count=len(missing), first=".".join(min(missing)))
            asked.execute("SELECT 1")
    except psycopg.Error as error:
        log.warning("not_ready", part="database", problem=type(error).__name__)
        return False
    return True


_OF_LIBPQ = ("host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey", "service")


def _applied(asked: psycopg.Connection[tuple[str, str]]) -> set[tuple[str, str]]:
    try:
        return set(asked.execute("SELECT app, name FROM django_migrations"))
    except psycopg.errors.UndefinedTable:
        asked.rollback()
        return set()


@cache
def _expected_migrations() -> frozenset[tuple[str, str]]:
    """All migrations of this release, by the names of their files: importing them all takes seconds."""
    expected = set()
    for config in apps.get_app_configs():
        name, _ = MigrationLoader.migrations_module(config.label)
        try:
            package = import_module(name) if name else None
        except ModuleNotFoundError:
            continue
        files = pkgutil.iter_modules(getattr(package, "__path__", ()))
        expected |= {(config.label, file.name) for file in files if file.name[0] not in "_~"}
    return frozenset(expected)


def _ask_redis() -> bool:
    limits = {"socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **limits) as asked:
            return bool(asked.ping())
    except redis.RedisError as error:
        log.warning("not_ready", part="redis", problem=type(error).__name__)
        return False
