"""How many requests a caller of the API may send. Counted in PostgreSQL, so that all processes agree."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import connection, transaction
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, BaseThrottle, SimpleRateThrottle, UserRateThrottle

if TYPE_CHECKING:
    # REST framework's views import this module, which the settings name.
    from rest_framework.views import APIView

# Some proxies write the port beside the address; each connection has another.
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[^:]*):\d+")
# Providers give each household a network of this size, of which every device may use any address.
_IPV6_NETWORK_BITS = 64


class _ExactThrottle(SimpleRateThrottle):
    """Counts one request after another. REST framework's own lets those of the same moment count as one."""

    num_requests: int
    duration: int
    # How many requests are left and for how many seconds they must last; None for callers that are not counted.
    left: tuple[int, int] | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            is_allowed = super().allow_request(request, view)
        first_leaves_in = self.history[-1] + self.duration - self.now if self.history else self.duration
        self.left = max(self.num_requests - len(self.history), 0), max(math.ceil(first_leaves_in), 0)
        return is_allowed


class GuestThrottle(_ExactThrottle, AnonRateThrottle):
    """For callers who are not signed in, by the network they call from."""

    def get_ident(self, request: Request) -> str:
        return network_of(super().get_ident(request) or "")


class AccountThrottle(_ExactThrottle, UserRateThrottle):
    """For callers who are signed in, by their account."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return super().get_cache_key(request, view) if request.user.is_authenticated else None


def rate_limit_fields(throttles: Iterable[BaseThrottle]) -> dict[str, str]:
    """The RateLimit fields for the limit that counts for this caller (draft-ietf-httpapi-ratelimit-headers)."""
    for throttle in throttles:
        if isinstance(throttle, _ExactThrottle) and throttle.left is not None:
            left, seconds = throttle.left
            policy = f'"{throttle.scope}"'
            return {
                "RateLimit-Policy": f"{policy};q={throttle.num_requests};w={throttle.duration}",
                "RateLimit": f"{policy};r={left};t={seconds}",
            }
    return {}


def network_of(text: str) -> str:
    """The address, or its network if it is one of IPv6. All texts that hold no address count as one network."""
    ported = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((ported["v6"] or ported["v4"] or "") if ported else text)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(address) >> _IPV6_NETWORK_BITS << _IPV6_NETWORK_BITS))
