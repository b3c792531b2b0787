"""Everything the environment may say to the sandbox, read once.

Free of Django, so that it can refuse to start before anything else is loaded.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SECRET_KEY_SHAPE = re.compile(r"^sk_test_[a-zA-Z0-9]{24,}$")
LIVE_KEY_PREFIXES = ("sk_live_", "rk_live_")
API_VERSION = "2026-08-26.dahlia"


class RefusesToStart(Exception):
    """The environment looks like production, or asks for something the sandbox cannot be."""


@dataclass(frozen=True)
class Options:
    """The sandbox's settings; delays are in seconds."""

    host: str
    port: int
    database: Path
    secret_key: str
    public_url: str
    account_id: str
    account_country: str
    webhook_url: str
    webhook_secret: str
    threads: int
    endpoint_concurrency: int
    settle_delay: float
    async_delay: float
    log_deliveries: bool
    log_file: Path | None


def refuse_production(environment: Mapping[str, str]) -> None:
    """Money must never be pretended where real money is taken: a live key or a production flag stops us."""
    for name in ("STRIPE_SECRET_KEY", "SANDBOX_SECRET_KEY"):
        if environment.get(name, "").startswith(LIVE_KEY_PREFIXES):
            raise RefusesToStart(f"{name} holds a live key: the sandbox never runs beside real money.")
    if environment.get("LECTERN_ENV", "").strip().lower() == "production":
        raise RefusesToStart("LECTERN_ENV is production: the sandbox never runs there.")


def read_options(environment: Mapping[str, str]) -> Options:
    """Options out of environment variables. Raises RefusesToStart on a dangerous or malformed one."""
    refuse_production(environment)
    secret_key = environment.get("SANDBOX_SECRET_KEY") or "sk_test_sandbox00000000000000000"
    if not SECRET_KEY_SHAPE.match(secret_key):
        raise RefusesToStart("SANDBOX_SECRET_KEY must be sk_test_ and at least 24 letters or digits.")
    host = environment.get("SANDBOX_HOST") or "127.0.0.1"
    port = int(environment.get("SANDBOX_PORT") or "12111")
    public_host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 -- compared, not bound
    return Options(
        host=host,
        port=port,
        database=Path(environment.get("SANDBOX_DATABASE") or ".local/sandbox.sqlite3").absolute(),
        secret_key=secret_key,
        public_url=(environment.get("SANDBOX_PUBLIC_URL") or f"http://{public_host}:{port}").rstrip("/"),
        account_id=environment.get("SANDBOX_ACCOUNT_ID") or "acct_1SandboxLectern00",
        account_country=(environment.get("SANDBOX_ACCOUNT_COUNTRY") or "US").upper(),
        webhook_url=environment.get("SANDBOX_WEBHOOK_URL", ""),
        webhook_secret=environment.get("SANDBOX_WEBHOOK_SECRET", ""),
        threads=int(environment.get("SANDBOX_THREADS") or "64"),
        endpoint_concurrency=int(environment.get("SANDBOX_ENDPOINT_CONCURRENCY") or "8"),
        settle_delay=float(environment.get("SANDBOX_SETTLE_DELAY") or "2"),
        async_delay=float(environment.get("SANDBOX_ASYNC_DELAY") or "5"),
        log_deliveries=environment.get("SANDBOX_LOG_DELIVERIES", "1") != "0",
        log_file=Path(environment["SANDBOX_LOG_FILE"]) if environment.get("SANDBOX_LOG_FILE") else None,
    )


@cache
def options() -> Options:
    """The options of this process."""
    return read_options(os.environ)
