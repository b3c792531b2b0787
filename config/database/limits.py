"""Limits for how long a statement may wait and run, so that no request and no job blocks all others.

Without a pooler, each new connection sets the limits. A pooler in transaction mode shares connections between clients:
it refuses such options, and a SET would affect other clients. There `migrate` sets the limits on the role itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from config.environment import Environment

# A host that is down does not answer; libpq would wait two minutes.
_CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """PostgreSQL's settings of the same names, in seconds; 0 is no limit."""

    lock_timeout: int
    statement_timeout: int
    idle_in_transaction_session_timeout: int

    def as_options(self) -> str:
        """Return them as libpq's connection options."""
        return " ".join(f"-c {name}={seconds}s" for name, seconds in asdict(self).items())

    def put_on_role(self, connection: BaseDatabaseWrapper) -> None:
        """Set them on the role for this database: every new session of the role starts with them."""
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            for limit, seconds in asdict(self).items():
                cursor.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET {limit} = '{seconds}s'")


def read_limits(env: Environment) -> Limits:
    """Read the limits for pages and jobs. Raises InvalidVariable."""
    return Limits(
        lock_timeout=env.count("DATABASE_LOCK_SECONDS", default=5, least=0, most=600),
        statement_timeout=env.count("DATABASE_STATEMENT_SECONDS", default=20, least=0, most=3600),
        idle_in_transaction_session_timeout=env.count("DATABASE_IDLE_SECONDS", default=30, least=0, most=3600),
    )


def for_pages_and_jobs(config: dict[str, Any], limits: Limits, *, is_pooled: bool) -> dict[str, Any]:
    """Return `config` with the limits, or suitable for a pooler in transaction mode."""
    options = {"connect_timeout": _CONNECT_SECONDS, **config.get("OPTIONS", {})}
    if is_pooled:
        # A server-side cursor belongs to one connection, but the next statement may use another.
        return {**config, "OPTIONS": options, "DISABLE_SERVER_SIDE_CURSORS": True}
    # Options in the address come last, so they override the limits.
    options["options"] = f"{limits.as_options()} {options.get('options', '')}".strip()
    return {**config, "OPTIONS": options}


def for_commands(config: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Return `config` for manage.py: migrations and maintenance may run long, but have the same limit for locks.

    While a migration waits for a long transaction, every page would wait for the migration. So it fails instead, and can
    be run again. Always a direct connection, since a pooler refuses options.
    """
    patient = Limits(
        lock_timeout=limits.lock_timeout, statement_timeout=0, idle_in_transaction_session_timeout=0
    ).as_options()
    options = {"connect_timeout": _CONNECT_SECONDS, **config.get("OPTIONS", {})}
    options["options"] = f"{patient} {options.get('options', '')}".strip()
    return {**config, "OPTIONS": options}
