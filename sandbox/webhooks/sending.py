"""One POST to an endpoint, over a connection that is kept open for the next one.

Load tests cause thousands of deliveries, on the machine that also handles them. So a request is written to the socket
as one packet without an HTTP library, which would need more time to prepare a request than the rest of a delivery.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from urllib3.util import parse_url
from urllib3.util.wait import wait_for_read

TIMEOUT_SECONDS = 10.0
MOST_KEPT = 16


@dataclass(frozen=True)
class _Server:
    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class _Address:
    """An endpoint's URL: its server, the Host header and the request target."""

    server: _Server
    authority: str
    target: str


_kept: dict[_Server, list[socket.socket]] = {}


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send a POST and return the answer's status and body. Raises OSError, HTTPException or ValueError without one.

    It never retries: the outcome of a request without an answer is unknown, and the next attempt follows soon.
    """
    address = _address(url)
    lines = {"Host": address.authority, "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request = f"POST {address.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
    connection = _kept_connection(address.server) or _new_connection(address.server)
    is_kept = False
    try:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        text = response.read()
        is_kept = not response.will_close
    finally:
        if is_kept:
            _keep(address.server, connection)
        else:
            connection.close()
    return response.status, text


@lru_cache(maxsize=100)
def _address(url: str) -> _Address:
    parsed = parse_url(url)
    scheme, host = parsed.scheme or "http", parsed.host or ""
    port = parsed.port or (443 if scheme == "https" else 80)
    return _Address(_Server(scheme, host.strip("[]"), port), parsed.netloc or host, parsed.request_uri)


def _kept_connection(server: _Server) -> socket.socket | None:
    """The most recently used open connection. One with data to read was closed by its server or is out of step."""
    kept = _kept.get(server, [])
    while kept:
        try:
            connection = kept.pop()
        except IndexError:  # Another thread was faster.
            return None
        if not wait_for_read(connection, timeout=0):
            return connection
        connection.close()
    return None


def _keep(server: _Server, connection: socket.socket) -> None:
    kept = _kept.setdefault(server, [])
    if len(kept) < MOST_KEPT:
        kept.append(connection)
    else:
        connection.close()


def _new_connection(server: _Server) -> socket.socket:
    connection = socket.create_connection((server.host, server.port), timeout=TIMEOUT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if server.scheme != "https":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=server.host)
    except OSError:
        connection.close()
        raise
