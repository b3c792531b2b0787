"""Which addresses messages may go to: public ones over HTTPS, so that our own network cannot be reached through us.

The form of an address is checked when it is entered, the network addresses behind its name at the moment of
connecting: a name may lead elsewhere by then.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from webhooks.models.endpoints import LONGEST_URL

_HTTPS_PORT: Final = 443
_FIRST_UNPRIVILEGED_PORT: Final = 1024
_LONGEST_HOST: Final = 253
# Translators and tunnels: an address of IPv6 that leads to one of IPv4, which may be private.
_LEADS_TO_IPV4 = [
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "::/96")
]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketAddress = tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]


class TargetRefused(Exception):
    """Nothing is sent to this address. The message is for the endpoint's owner."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart."""

    is_https: bool
    host: str
    port: int
    # Path and query as they are requested.
    resource: str


def read_target(url: str) -> Target:
    """Take an address apart. Raises TargetRefused if its form alone says that nothing is sent there."""
    if len(url) > LONGEST_URL:
        raise TargetRefused(f"The address is longer than {LONGEST_URL} characters.")
    # Python would drop tabs and line breaks in silence, and send others as they are.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise TargetRefused(
            "Write the address in visible ASCII characters; others as %-escapes or, in its name, xn--…."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetRefused("This is no address.") from error
    is_https = _is_https(parts)
    host = (parts.hostname or "").rstrip(".")
    if not host or len(host) > _LONGEST_HOST:
        raise TargetRefused("The address has no name of a server.")
    if parts.username is not None or parts.password is not None:
        raise TargetRefused("Leave user name and password out; check the signature instead.")
    if parts.fragment:
        raise TargetRefused("Leave out the part after #: it is never sent.")
    target = Target(is_https, host, port or (_HTTPS_PORT if is_https else 80), _resource(parts))
    _refuse_port(target)
    _refuse_literal_address(host)
    return target


def look_up(target: Target) -> list[SocketAddress]:
    """The socket addresses behind the name now. Raises TargetRefused if one is not public, OSError if there is none."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses: list[SocketAddress] = [(family, socket_address) for family, _, _, _, socket_address in found]
    for _, socket_address in addresses:
        # A scope, as in fe80::1%eth0, belongs to addresses that are not public anyway.
        refuse_address(ipaddress.ip_address(str(socket_address[0]).partition("%")[0]))
    return addresses


def refuse_address(address: IPAddress) -> None:
    """Raise TargetRefused for an address that is not public. In development, this machine is allowed."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback and settings.WEBHOOKS_MAY_STAY_HERE:
        return
    is_translated = any(address.version == network.version and address in network for network in _LEADS_TO_IPV4)
    if is_translated or not address.is_global or address.is_multicast or address.is_reserved:
        raise TargetRefused("The address does not lead to the public internet.")


def _is_https(parts: SplitResult) -> bool:
    if parts.scheme == "https":
        return True
    if parts.scheme == "http" and settings.WEBHOOKS_MAY_STAY_HERE:
        return False
    raise TargetRefused("Give an address that begins with https://.")


def _resource(parts: SplitResult) -> str:
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _refuse_port(target: Target) -> None:
    """Refuse the ports of mail servers and the like, which were never meant for such messages."""
    standard = _HTTPS_PORT if target.is_https else 80
    if target.port != standard and target.port < _FIRST_UNPRIVILEGED_PORT:
        raise TargetRefused(f"Use port {standard}, or one from {_FIRST_UNPRIVILEGED_PORT}.")


def _refuse_literal_address(host: str) -> None:
    address = _literal_address(host)
    if address is None:
        if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
            refuse_address(ipaddress.ip_address("127.0.0.1"))
        return
    refuse_address(address)


def _literal_address(host: str) -> IPAddress | None:
    """The address that a host is; None if it is a name. Resolvers also read 2130706433, 0x7f.1 and 127.1 as addresses."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
