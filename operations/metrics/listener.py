"""A port of their own for processes that serve no pages: Prometheus reads workers on hosts without web processes there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from django.db import connection
from prometheus_client import CONTENT_TYPE_LATEST

from operations.metrics.exposition import all_metrics
from operations.metrics.guard import may_read_metrics

log = structlog.get_logger(__name__)


class _Quiet(WSGIRequestHandler):
    # Also against clients that connect and send nothing.
    timeout = 5

    def log_message(self, *_: object) -> None:
        """Write no line for each scrape."""


def listen(port: int, *, host: str = "") -> WSGIServer:
    """Serve /metrics, to those who may read them, and /healthz, in a thread of this process."""
    server = make_server(host, port, _answer, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics_listen", port=server.server_port)
    return server


def _answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/healthz":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"alive\n"]
    # No proxy is in front of it, so what a client says about its address is not believed.
    asked = {name: value for name, value in environ.items() if name != "HTTP_X_FORWARDED_FOR"}
    if path != "/metrics" or not may_read_metrics(asked):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"Not found\n"]
    try:
        metrics = all_metrics()
    finally:
        # Scrapes are rare, and PostgreSQL's connections are few.
        connection.close()
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [metrics]
