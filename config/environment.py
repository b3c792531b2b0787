"""Environment variables, each checked when it is read, so that an invalid value prevents the start and is named.

Spaces around a value are ignored, and a blank variable counts as missing. No message repeats a value: it may be secret.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import SequenceMatcher, get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
# Control characters, line separators and halves of surrogate pairs (bytes that are no UTF-8).
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST = 2000
_HOST_NAME = re.compile(r"\.?(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*", re.IGNORECASE)
_NAMED_MAILBOX = re.compile(r"(?:[^<>]*<)?(?P<address>[^<>\s]+)>?")
# Only Lectern's variables begin like this. Any other name counts as a mistake only if it is close to one of ours.
_OUR_PREFIXES = ("LECTERN_", "STRIPE_", "PAYMENTS_", "PLATFORM_", "CHECKOUT_", "WEBHOOK_", "DATABASE_", "METRICS_")
# Read by the sandbox, by the mail provider's backend, and set by Kubernetes for every service in a namespace.
_NOT_OURS = re.compile(r"SANDBOX_|ANYMAIL_|\w+_SERVICE_(?:HOST|PORT)|\w+_PORT(?:_\d+_(?:TCP|UDP).*)?$")
_CLOSE = 0.85


Network = IPv4Network | IPv6Network


class InvalidVariable(ImproperlyConfigured):
    """A variable has an invalid value."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem} See .env.example.")


class Environment:
    """The variables of this process. Records which names were read, so that the others can be reported as unknown."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.names: set[str] = set()
        self._variables = variables

    def text(self, name: str, *, default: str = "", longest: int = _LONGEST) -> str:
        """Return one line of printable text."""
        self.names.add(name)
        value = self._variables.get(name, "").strip()
        if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
            raise InvalidVariable(name, "holds control characters or bytes that are not UTF-8.")
        if len(value) > longest:
            raise InvalidVariable(name, f"is longer than {longest} characters.")
        return value or default

    def matching(self, name: str, pattern: str, *, example: str, default: str = "") -> str:
        """Return text that matches `pattern`."""
        value = self.text(name, default=default)
        if value and not re.fullmatch(pattern, value):
            raise InvalidVariable(name, f"must look like {example}.")
        return value

    def choice(self, name: str, choices: Iterable[str], *, default: str) -> str:
        """Return one of `choices`."""
        value, allowed = self.text(name, default=default), list(choices)
        if value not in ("", *allowed):
            raise InvalidVariable(name, f"must be one of {', '.join(allowed)}.")
        return value

    def flag(self, name: str) -> bool:
        """Return whether it is switched on; off unless set."""
        value = self.text(name).lower()
        if value and value not in _YES | _NO:
            raise InvalidVariable(name, "must be 1 or 0.")
        return value in _YES

    def count(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self.text(name, default=str(default))
        # int() would also take "1_000", "+5" and digits of other scripts.
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most):
            raise InvalidVariable(name, f"must be a whole number from {least} to {most}.")
        return int(value)

    def rate_bps(self, name: str) -> int | None:
        """Return a share written as a decimal from 0 to 1, such as 0.125, as whole basis points; None if not set."""
        value = self.text(name, longest=20)
        if not value:
            return None
        if not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value):
            raise InvalidVariable(name, "must be a decimal from 0 to 1: 0.10 is 10 %.")
        basis_points = Decimal(value) * 10_000
        if basis_points > 10_000:  # noqa: PLR2004  # the whole
            raise InvalidVariable(name, "must be a decimal from 0 to 1: 0.10 is 10 %.")
        if basis_points != int(basis_points):
            raise InvalidVariable(name, "must have at most four decimal places.")
        return int(basis_points)

    def items(self, name: str, *, default: Iterable[str] = ()) -> list[str]:
        """Return the items between commas. An empty or repeated item is refused, since it is probably a mistake."""
        value = self.text(name)
        items = [item.strip() for item in value.split(",")] if value else list(default)
        if not all(items):
            raise InvalidVariable(name, "has a blank entry between its commas.")
        if len(set(items)) < len(items):
            raise InvalidVariable(name, "has the same entry twice.")
        return items

    def site_address(self, name: str, *, default: str = "", is_https: bool) -> str:
        """Return the address of a site, without a path and without a slash at its end."""
        value = self.text(name, default=default).rstrip("/")
        if not value:
            return ""
        parts = self._split(name, value)
        if parts.scheme != "https" and (is_https or parts.scheme != "http"):
            raise InvalidVariable(name, "must start with https:// in production.")
        if not _is_host(parts.hostname or "") or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
            raise InvalidVariable(name, "must be an address without a path, such as https://lectern.example.")
        return value

    def site_addresses(self, name: str, *, is_https: bool) -> list[str]:
        """Return the addresses of sites, each as `site_address` takes it."""
        for item in self.items(name):
            Environment({name: item}).site_address(name, is_https=is_https)
        return [item.rstrip("/") for item in self.items(name)]

    def service_address(self, name: str, *, schemes: Iterable[str], default: str = "") -> str:
        """Return the address of a server, which may hold a name and a password."""
        value, allowed = self.text(name, default=default), list(schemes)
        parts = self._split(name, value)
        if value and (parts.scheme not in allowed or not value.startswith(f"{parts.scheme}://")):
            raise InvalidVariable(name, f"must start with {' or '.join(f'{scheme}://' for scheme in allowed)}.")
        return value

    def host_names(self, name: str) -> list[str]:
        """Return host names, such as lectern.example; one with a leading dot includes all its subdomains."""
        names = self.items(name)
        if not all(_is_host(host.removeprefix(".")) for host in names):
            raise InvalidVariable(name, "must hold host names alone: no scheme, no port, no '*'.")
        return names

    def networks(self, name: str) -> list[Network]:
        """Return networks of addresses, such as 203.0.113.0/24; a single address is one too."""
        try:
            return [ip_network(item) for item in self.items(name)]
        except ValueError:
            raise InvalidVariable(name, "must hold networks such as 203.0.113.0/24 or 2001:db8::/32.") from None

    def mailboxes(self, name: str) -> list[str]:
        """Return email addresses."""
        addresses = self.items(name)
        for address in addresses:
            _check_mailbox(name, address)
        return addresses

    def named_mailbox(self, name: str, *, default: str) -> str:
        """Return an email address with or without a name: Lectern <no-reply@lectern.example>."""
        value = self.text(name)
        if value:
            found = _NAMED_MAILBOX.fullmatch(value)
            _check_mailbox(name, found["address"] if found and ("<" in value) == value.endswith(">") else "")
        return value or default

    def folder(self, name: str, *, default: Path) -> Path:
        """Return the path of a folder, which need not exist yet."""
        return Path(self.text(name, default=str(default)))

    def beginning_with(self, prefix: str) -> dict[str, str]:
        """Return all variables whose names begin with `prefix`, by the rest of their names."""
        found = [name for name in self._variables if name.startswith(prefix)]
        values = {name.removeprefix(prefix): Environment(self._variables).text(name) for name in found}
        return {name: value for name, value in values.items() if value}

    def unknown_names(self) -> dict[str, str]:
        """Return the variables that look like ours but were never read, each with the most similar known name."""
        nearest = {
            name: get_close_matches(name, self.names, n=1, cutoff=0.0)[0]
            for name in sorted(set(self._variables) - self.names)
            if re.fullmatch(r"[A-Z][A-Z0-9_]+", name) and not _NOT_OURS.match(name)
        }
        return {
            name: known
            for name, known in nearest.items()
            if name.startswith(_OUR_PREFIXES) or SequenceMatcher(None, name, known).ratio() >= _CLOSE
        }

    def _split(self, name: str, value: str) -> SplitResult:
        try:
            parts = urlsplit(value)
            _ = parts.port  # raises if it is not a number up to 65535
        except ValueError as error:
            raise InvalidVariable(name, "is not an address.") from error
        if re.search(r"\s", value):
            raise InvalidVariable(name, "is not an address: it has a space in it.")
        return parts


def read_environment(checkout: Path) -> Environment:
    """Read this process's variables; for those that are not set, the file `.env`."""
    import os

    if (checkout / ".env").exists():
        environ.Env.read_env(checkout / ".env")
    return Environment(os.environ)


def database_config(name: str, address: str) -> dict[str, Any]:
    """Return Django's settings for the database at `address`, the value of the variable `name`."""
    config: dict[str, Any] = environ.Env.db_url_config(address)
    if not config["NAME"]:
        raise InvalidVariable(name, "must name a database: postgres://user:password@host:5432/name.")
    return config


def warn_of_unknown_names(environment: Environment) -> None:
    """Log a warning for each variable that is never read. Otherwise a mistyped name would silently have no effect."""
    for name, known in environment.unknown_names().items():
        logging.getLogger(__name__).warning(
            "The environment variable %s is not known to Lectern and was ignored. Did you mean %s?", name, known
        )


def _is_host(name: str) -> bool:
    is_ipv6 = ":" in name and re.fullmatch(r"\[?[0-9a-fA-F:.]+\]?", name)
    return bool(is_ipv6 or _HOST_NAME.fullmatch(name))


def _check_mailbox(name: str, address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidVariable(name, "must hold email addresses.") from error
