"""The variables about payments: Stripe's keys, their mode, the platform's commission, and the minimums of payouts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.environment import Environment, InvalidVariable
from money import Money, is_currency
from money.amounts import InvalidAmount

SANDBOX_SECRET_KEY = "sk_test_sandbox00000000000000000"  # noqa: S105 - valid only at the sandbox
SANDBOX_WEBHOOK_SECRET = "whsec_sandbox0000000000000000000000000"  # noqa: S105 - likewise
_SECRET_KEY = r"(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]{16,200}"  # noqa: S105 - a pattern
_PUBLISHABLE_KEY = r"pk_(?:test|live)_[A-Za-z0-9_]{16,200}"
_WEBHOOK_SECRET = r"whsec_[A-Za-z0-9+/=_-]{16,200}"  # noqa: S105 - a pattern
_DEFAULT_COMMISSION_BPS = 1000
_DEFAULT_PAYOUT_MINIMUMS = ["GBP:10", "EUR:10", "USD:10", "JPY:1000"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeKeys:
    """The Stripe account's keys and its webhooks' secrets. `mode` is sandbox, test or live, after the secret key."""

    mode: str
    secret_key: str
    publishable_key: str
    webhook_secrets: list[str]
    account_id: str


def read_stripe_keys(env: Environment, *, is_development: bool) -> StripeKeys:
    """Read and compare all of Stripe's variables. Raises InvalidVariable."""
    secret_key = env.matching("STRIPE_SECRET_KEY", _SECRET_KEY, example="sk_test_... or sk_live_...")
    publishable_key = env.matching("STRIPE_PUBLISHABLE_KEY", _PUBLISHABLE_KEY, example="pk_test_... or pk_live_...")
    declared_mode = env.choice("PAYMENTS_MODE", ["sandbox", "test", "live"], default="")
    mode = secret_key.split("_")[1] if secret_key else "sandbox"
    if env.text("STRIPE_LOG") and not is_development:
        raise InvalidVariable("STRIPE_LOG", "makes Stripe's library print whole requests, with people's names in them.")
    if secret_key == SANDBOX_SECRET_KEY:
        raise InvalidVariable("STRIPE_SECRET_KEY", "is the sandbox's key. Leave it empty to pay at the sandbox.")
    if mode == "sandbox" and not is_development:
        raise InvalidVariable("STRIPE_SECRET_KEY", "must be set in production; the sandbox is for development only.")
    if mode == "live" and is_development:
        raise InvalidVariable("LECTERN_ENV", "must be production where STRIPE_SECRET_KEY is a live key.")
    if declared_mode != mode and (declared_mode or not is_development):
        raise InvalidVariable("PAYMENTS_MODE", f"says {declared_mode!r} but STRIPE_SECRET_KEY is a key for {mode!r}.")
    if publishable_key and publishable_key.split("_")[1] != mode:
        raise InvalidVariable("STRIPE_PUBLISHABLE_KEY", "is not for the same mode as STRIPE_SECRET_KEY.")
    return StripeKeys(
        mode=mode,
        secret_key=secret_key or SANDBOX_SECRET_KEY,
        publishable_key=publishable_key,
        webhook_secrets=_read_webhook_secrets(env, mode=mode, is_development=is_development),
        account_id=env.matching("STRIPE_ACCOUNT_ID", "acct_[A-Za-z0-9]{8,64}", example="acct_..."),
    )


def _read_webhook_secrets(env: Environment, *, mode: str, is_development: bool) -> list[str]:
    """Return every active secret, from the variable for several and from the one for a single secret."""
    several = env.items("STRIPE_WEBHOOK_SECRETS")
    one = env.matching("STRIPE_WEBHOOK_SECRET", _WEBHOOK_SECRET, example="whsec_...")
    if not all(_is_webhook_secret(secret) for secret in several):
        raise InvalidVariable(
            "STRIPE_WEBHOOK_SECRETS", "must hold secrets that look like whsec_..., with commas between."
        )
    secrets = list(dict.fromkeys([*several, *([one] if one else [])]))
    if mode == "sandbox":
        return secrets or [SANDBOX_WEBHOOK_SECRET]
    if SANDBOX_WEBHOOK_SECRET in secrets:
        name = "STRIPE_WEBHOOK_SECRETS" if SANDBOX_WEBHOOK_SECRET in several else "STRIPE_WEBHOOK_SECRET"
        raise InvalidVariable(name, "holds the sandbox's secret, with which anyone could sign.")
    if not secrets and not is_development:
        raise InvalidVariable("STRIPE_WEBHOOK_SECRETS", "must be set in production.")
    return secrets


def _is_webhook_secret(secret: str) -> bool:
    return re.fullmatch(_WEBHOOK_SECRET, secret) is not None


def read_commission_bps(env: Environment) -> int:
    """Return the platform's share in basis points, from whichever of its two variables is set."""
    basis_points = env.count("DEFAULT_COMMISSION_BPS", default=_DEFAULT_COMMISSION_BPS, least=0, most=10_000)
    rate = env.rate_bps("PLATFORM_COMMISSION_RATE")
    if rate is None:
        return basis_points
    if env.text("DEFAULT_COMMISSION_BPS") and basis_points != rate:
        raise InvalidVariable("PLATFORM_COMMISSION_RATE", "and DEFAULT_COMMISSION_BPS contradict each other; keep one.")
    return rate


def read_payout_minimums(env: Environment) -> dict[str, int]:
    """Return the minimum payouts in minor units by currency. Raises InvalidVariable."""
    pairs = [pair.partition(":") for pair in env.items("PAYOUT_MINIMUMS", default=_DEFAULT_PAYOUT_MINIMUMS)]
    minimums = {currency: _minor_units(amount, currency) for currency, _, amount in pairs if is_currency(currency)}
    if len(minimums) != len(pairs) or not all(minor > 0 for minor in minimums.values()):
        raise InvalidVariable("PAYOUT_MINIMUMS", "must hold currencies with an amount each, such as GBP:10,JPY:1000.")
    return minimums


def _minor_units(text: str, currency: str) -> int:
    """The minor units of an amount; zero, which is not allowed, if it is none."""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", text) is None:
        return 0
    try:
        return Money.from_major(text, currency).minor
    except InvalidAmount:
        return 0
