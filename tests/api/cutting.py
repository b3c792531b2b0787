"""Connections that end after a given number of bytes, as networks, proxies and processes end them."""

import json
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_WAITS = 10.0


@dataclass(frozen=True)
class Reply:
    """What a server answered: the part that must not differ between repetitions, and the rest."""

    status: int
    kind: str
    body: bytes
    retry_after: str
    head: bytes

    @property
    def told(self):
        """What the client learns. The other fields of the header name the time, the request and what is left."""
        return self.status, self.kind, self.body


def request_bytes(url, method, address, *, secret, key, body):
    """The request as it crosses the network."""
    sent = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method.upper()} {address} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Authorization: Bearer {secret}",
        f"Idempotency-Key: {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(sent)}",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + sent


def connect(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=_WAITS)


def cut_request(url, request, *, after):
    """Send only this many bytes of the request, and close the connection."""
    with connect(url) as server:
        server.sendall(request[:after])


def cut_reply(url, request, *, after):
    """Send the request, read only this many bytes of the reply, and close the connection."""
    with connect(url) as server:
        server.sendall(request)
        left = after
        while left and (read := server.recv(left)):
            left -= len(read)


def exchange(url, request):
    """Send the request and read the whole reply."""
    with connect(url) as server:
        server.sendall(request)
        parts = []
        while read := server.recv(65536):
            parts.append(read)
    return read_reply(b"".join(parts))


def read_reply(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    named = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    assert len(body) == int(named["content-length"]), raw
    return Reply(
        status=int(status.split()[1]),
        kind=named.get("content-type", ""),
        body=body,
        retry_after=named.get("retry-after", ""),
        head=head,
    )


def repeat_until_answered(url, request):
    """Repeat the request as a careful client does: again after `Retry-After` while the first one is being carried out."""
    ends_at = time.monotonic() + 3 * _WAITS
    while (reply := exchange(url, request)).status == 409 and b"idempotency-key-in-use" in reply.body:
        assert reply.retry_after, reply
        assert time.monotonic() < ends_at, "The first request is never finished."
        # Sooner than the whole second that the server asks for, so that thousands of cuts take minutes, not hours.
        time.sleep(0.02)
    return reply
