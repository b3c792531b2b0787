"""The sandbox's options, read once from the environment.

Without Django, so that the sandbox can refuse to start before anything else is loaded.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

SECRET_KEY_SHAPE = re.compile(r"^sk_test_[a-zA-Z0-9]{24,}$")
LIVE_KEY_PREFIXES = ("sk_live_", "rk_live_", "pk_live_")
API_VERSION = "2026-08-26.dahlia"
# The monthly versions of a major release only add to it and change nothing (docs: "Versioning").
DAHLIA = (
    "2026-03-25.dahlia",
    "2026-04-22.dahlia",
    "2026-05-27.dahlia",
    "2026-06-24.dahlia",
    "2026-07-29.dahlia",
    API_VERSION,
)
# The next major release, which no client that we use is made for yet: to see beforehand what would break.
ENDIVE = ("2026-09-30.endive", "2026-10-28.endive", "2026-11-18.endive")
KNOWN_VERSIONS = (*DAHLIA, *ENDIVE)
DEFAULT_KEY = "sk_test_sandbox00000000000000000"
# Stripe's test mode gives up after a few hours (docs: "Webhooks", retries). The first retries are early, so that a
# developer does not have to wait.
DEFAULT_RETRIES = "1,5,30,300,3600,7200"
DUNNING_ENDS = ("cancel", "unpaid", "past_due")
_YES = ("1", "true", "yes", "on")
Number = TypeVar("Number", int, float)


class RefusesToStart(Exception):
    """The environment looks like production, or an option is invalid."""


@dataclass(frozen=True)
class Options:
    """The sandbox's settings; delays are in seconds."""

    host: str
    port: int
    # A socket that already listens, such as fd://5, from the program that started the sandbox.
    listener: str
    database: Path
    secret_key: str
    public_url: str
    account_id: str
    account_country: str
    # Of events, and of calls that name none.
    api_version: str
    webhook_url: str
    webhook_secret: str
    webhook_events: tuple[str, ...]
    threads: int
    endpoint_concurrency: int
    settle_delay: float
    async_delay: float
    retry_delays: tuple[float, ...]
    dispute_fee_returns: bool
    refunds_need_balance: bool
    dunning_end: str
    log_deliveries: bool
    log_file: Path | None

    @property
    def is_reachable_from_elsewhere(self) -> bool:
        """Whether other machines can open the pages, which ask for no password."""
        return self.host not in ("127.0.0.1", "::1", "localhost")


def refuse_production(environment: Mapping[str, str]) -> None:
    """Refuse to start where real payments could be made: with a live key or a production setting."""
    for name, value in sorted(environment.items()):
        if value.strip().startswith(LIVE_KEY_PREFIXES):
            raise RefusesToStart(f"{name} holds a live key: the sandbox never runs together with live payments.")

    def setting(name: str) -> str:
        return environment.get(name, "").strip().lower()

    if setting("LECTERN_ENV") == "production":
        raise RefusesToStart("LECTERN_ENV is production: the sandbox never runs in production.")
    if setting("PAYMENTS_MODE") == "live":
        raise RefusesToStart("PAYMENTS_MODE is live: the sandbox never runs together with live payments.")
    if setting("STRIPE_LIVE_MODE") in _YES:
        raise RefusesToStart("STRIPE_LIVE_MODE is on: the sandbox never runs together with live payments.")
    settings = setting("DJANGO_SETTINGS_MODULE")
    # A site may run in production by default, as Lectern does.
    is_of_a_site = settings not in ("", "sandbox.settings")
    if is_of_a_site and setting("LECTERN_ENV") != "development":
        raise RefusesToStart(
            f"DJANGO_SETTINGS_MODULE is {settings}, the settings of a site, and the sandbox never runs together with "
            "a site in production. Unset it, or set LECTERN_ENV=development."
        )


def _number(environment: Mapping[str, str], name: str, default: Number, read: Callable[[str], Number]) -> Number:
    written = environment.get(name) or ""
    try:
        number = read(written) if written else default
    except ValueError as error:
        raise RefusesToStart(f"{name} must be a number, not {written!r}.") from error
    if not 0 <= number < float("inf"):
        raise RefusesToStart(f"{name} must be a number from 0, not {written!r}.")
    return number


def _port(environment: Mapping[str, str]) -> int:
    port = _number(environment, "SANDBOX_PORT", 12111, int)
    if not 0 < port < 2**16:
        raise RefusesToStart(f"SANDBOX_PORT must be from 1 to 65535, not {port}.")
    return port


def _api_version(environment: Mapping[str, str]) -> str:
    written = environment.get("SANDBOX_API_VERSION") or API_VERSION
    if written not in KNOWN_VERSIONS:
        raise RefusesToStart(f"SANDBOX_API_VERSION must be one of {', '.join(KNOWN_VERSIONS)}, not {written!r}.")
    return written


def _retry_delays(environment: Mapping[str, str]) -> tuple[float, ...]:
    written = environment.get("SANDBOX_RETRY_DELAYS") or DEFAULT_RETRIES
    try:
        return () if written == "none" else tuple(float(seconds) for seconds in written.split(","))
    except ValueError as error:
        raise RefusesToStart(f"SANDBOX_RETRY_DELAYS must be seconds separated by commas, not {written!r}.") from error


def _dunning_end(environment: Mapping[str, str]) -> str:
    """The final state of a subscription whose payments failed; at Stripe this is a setting of the account."""
    written = environment.get("SANDBOX_DUNNING_END") or "cancel"
    if written not in DUNNING_ENDS:
        raise RefusesToStart(f"SANDBOX_DUNNING_END must be one of {', '.join(DUNNING_ENDS)}, not {written!r}.")
    return written


def read_options(environment: Mapping[str, str]) -> Options:
    """Read the options from environment variables. Raises RefusesToStart for a dangerous or malformed one."""
    refuse_production(environment)
    secret_key = environment.get("SANDBOX_SECRET_KEY") or DEFAULT_KEY
    if not SECRET_KEY_SHAPE.match(secret_key):
        raise RefusesToStart("SANDBOX_SECRET_KEY must be sk_test_ and at least 24 letters or digits.")
    host = environment.get("SANDBOX_HOST") or "127.0.0.1"
    port = _port(environment)
    public_host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 -- compared, not bound
    return Options(
        host=host,
        port=port,
        listener=environment.get("SANDBOX_LISTENER", ""),
        database=Path(environment.get("SANDBOX_DATABASE") or ".local/sandbox.sqlite3").absolute(),
        secret_key=secret_key,
        public_url=(environment.get("SANDBOX_PUBLIC_URL") or f"http://{public_host}:{port}").rstrip("/"),
        account_id=environment.get("SANDBOX_ACCOUNT_ID") or "acct_1SandboxLectern00",
        api_version=_api_version(environment),
        account_country=(environment.get("SANDBOX_ACCOUNT_COUNTRY") or "US").upper(),
        webhook_url=environment.get("SANDBOX_WEBHOOK_URL", ""),
        webhook_secret=environment.get("SANDBOX_WEBHOOK_SECRET", ""),
        webhook_events=tuple((environment.get("SANDBOX_WEBHOOK_EVENTS") or "*").split(",")),
        threads=max(2, _number(environment, "SANDBOX_THREADS", 64, int)),
        endpoint_concurrency=max(1, _number(environment, "SANDBOX_ENDPOINT_CONCURRENCY", 8, int)),
        settle_delay=_number(environment, "SANDBOX_SETTLE_DELAY", 2.0, float),
        async_delay=_number(environment, "SANDBOX_ASYNC_DELAY", 5.0, float),
        retry_delays=_retry_delays(environment),
        dispute_fee_returns=environment.get("SANDBOX_DISPUTE_FEE_RETURNS", "1") != "0",
        refunds_need_balance=environment.get("SANDBOX_REFUNDS_NEED_BALANCE", "0") == "1",
        dunning_end=_dunning_end(environment),
        log_deliveries=environment.get("SANDBOX_LOG_DELIVERIES", "1") != "0",
        log_file=Path(environment["SANDBOX_LOG_FILE"]) if environment.get("SANDBOX_LOG_FILE") else None,
    )


@cache
def options() -> Options:
    """The options of this process."""
    return read_options(os.environ)
