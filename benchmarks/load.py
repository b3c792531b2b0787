"""Send prepared requests over keep-alive connections and record how long each took."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed webhook body."""

    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How long a batch of deliveries took, in seconds: as a whole and per request."""

    seconds: float
    latencies: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds


class UnexpectedAnswer(Exception):
    """A program did not acknowledge a delivery."""


def send(url: str, deliveries: Sequence[Delivery], *, connections: int) -> Outcome:
    """Send all deliveries, divided among the connections. Raises UnexpectedAnswer for anything but 200."""
    shares = [deliveries[start::connections] for start in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        began_at = time.perf_counter()
        latencies = [latency for share in pool.map(lambda share: _send_share(url, share), shares) for latency in share]
        return Outcome(seconds=time.perf_counter() - began_at, latencies=latencies)


def _send_share(url: str, share: Sequence[Delivery]) -> list[float]:
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
    latencies = []
    try:
        for delivery in share:
            began_at = time.perf_counter()
            connection.request(
                "POST",
                target.path,
                delivery.body,
                {"Stripe-Signature": delivery.signature, "Content-Type": "application/json; charset=utf-8"},
            )
            answer = connection.getresponse()
            content = answer.read()
            latencies.append(time.perf_counter() - began_at)
            if answer.status != http.client.OK:
                raise UnexpectedAnswer(f"{url} answered {answer.status}: {content[:300]!r}")
    finally:
        connection.close()
    return latencies
