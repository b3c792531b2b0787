"""Who may read the metrics: a holder of the token, or a client in one of the networks. Without either, no one."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address

from django.conf import settings


def may_read_metrics(environ: Mapping[str, str]) -> bool:
    """Whether a request, given as its WSGI environ, may read the metrics."""
    return _has_token(environ) or _is_in_network(environ)


def _has_token(environ: Mapping[str, str]) -> bool:
    token = settings.METRICS_TOKEN
    given = environ.get("HTTP_AUTHORIZATION", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_in_network(environ: Mapping[str, str]) -> bool:
    try:
        client = ip_address(_client_of(environ))
    except ValueError:
        return False
    client = getattr(client, "ipv4_mapped", None) or client
    return any(client in network for network in settings.METRICS_NETWORKS)


def _client_of(environ: Mapping[str, str]) -> str:
    """The address that asks: the entry that the outermost of our own proxies wrote, if there are any."""
    proxies = settings.TRUSTED_PROXY_COUNT
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    if not proxies or not forwarded:
        return environ.get("REMOTE_ADDR", "")
    return forwarded.split(",")[-min(proxies, forwarded.count(",") + 1)].strip()
