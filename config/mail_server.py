"""The variables for sending mail: a mail server's address, or a provider that django-anymail supports."""

from __future__ import annotations

import pkgutil
from typing import Any
from urllib.parse import urlsplit

import environ
from anymail import backends

from config.environment import Environment, InvalidVariable

_SERVERS = ["smtp+tls", "smtp+ssl", "smtps", "smtp"]
_FOR_DEVELOPMENT = ["dummymail", "consolemail", "filemail", "memorymail"]
# Base classes, and backends that send nothing.
_NO_PROVIDERS = {"base", "base_requests", "console", "test"}
_PROVIDER_TIMEOUT_SECONDS = 10


def read_mail_server(env: Environment, *, is_development: bool) -> dict[str, Any]:
    """Return Django's settings for sending mail. Without any variable, development sends nothing."""
    providers = sorted({module.name for module in pkgutil.iter_modules(backends.__path__)} - _NO_PROVIDERS)
    provider = env.choice("MAIL_PROVIDER", providers, default="")
    address = env.service_address("EMAIL_URL", schemes=_SERVERS + (_FOR_DEVELOPMENT if is_development else []))
    if provider:
        options: dict[str, Any] = {**env.beginning_with("ANYMAIL_"), "REQUESTS_TIMEOUT": _PROVIDER_TIMEOUT_SECONDS}
        return {"EMAIL_BACKEND": f"anymail.backends.{provider}.EmailBackend", "ANYMAIL": options}
    if not address and not is_development:
        raise InvalidVariable("EMAIL_URL", "must be set in production, or MAIL_PROVIDER.")
    parts = urlsplit(address)
    # Parameters after a question mark would become settings of any name, even DEBUG.
    if parts.query or parts.fragment:
        raise InvalidVariable("EMAIL_URL", "must not have ? or # in it; a password writes them as %3F and %23.")
    if parts.scheme in _SERVERS and not parts.hostname:
        raise InvalidVariable("EMAIL_URL", "must name a server: smtp+tls://user:password@smtp.example:587.")
    config: dict[str, Any] = environ.Env.email_url_config(address or "dummymail://")
    return config
