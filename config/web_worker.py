"""gunicorn's worker for the site: an event loop that waits for clients, and threads that run the site.

gunicorn's threaded worker reads requests and writes answers in its threads, so as many slow clients as there are
threads would block all others. Its ASGI worker waits for any number of clients in one loop; `config/wsgi_bridge.py`
connects it to the site.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol  # type: ignore[import-untyped]
from gunicorn.workers import gasgi  # type: ignore[import-untyped]

from config.body_sizes import largest_body
from config.wsgi_bridge import BufferedApplication

# From the opening of a connection to the end of its first request's headers. Later requests have `keepalive`.
HEADERS_WITHIN_SECONDS = 10.0
# How long a client may take for the next 48 kB of an answer before its connection is closed.
READS_WITHIN_SECONDS = 30.0


class PatientProtocol(ASGIProtocol):  # type: ignore[misc]  # gunicorn has no types
    """One connection, which is aborted if its client neither sends nor reads for too long."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Called by the event loop."""
        super().connection_made(transport)
        self.worker.connections.add(self)
        if self.worker.nr_conns > self.worker.worker_connections:
            transport.abort()
            return
        self._give_up_after(HEADERS_WITHIN_SECONDS, unless=lambda: self._current_request is not None)

    def pause_writing(self) -> None:
        """Called by the event loop when the client is behind with reading."""
        super().pause_writing()
        self._give_up_after(READS_WITHIN_SECONDS)

    def resume_writing(self) -> None:
        """Called by the event loop when the client has caught up."""
        super().resume_writing()
        self._wait_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._wait_on()
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    def close_if_idle(self) -> None:
        """Close a connection that is kept open only for further requests."""
        if self._awaiting_request and self.req_count > 1:
            self.transport.close()

    def _give_up_after(self, seconds: float, *, unless: Any = None) -> None:
        self._wait_on()
        self._patience = self.worker.loop.call_later(seconds, self._give_up, unless)

    def _give_up(self, unless: Any) -> None:
        # Not `close`, which would first wait for the client to read the rest.
        if unless is None or not unless():
            self.transport.abort()

    def _wait_on(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None


# The worker takes its protocol from a global of its module; there is no other way to set it.
gasgi.ASGIProtocol = PatientProtocol


class BufferingWorker(gasgi.ASGIWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves a WSGI application in `threads` threads behind the event loop."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connections: set[PatientProtocol] = set()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Keep the ASGI worker from warning that it has no threads: this one has."""

    def load_wsgi(self) -> None:
        """Called once in each process, after the parent process has loaded the site."""
        self.asgi: Any = BufferedApplication(self.app.wsgi(), threads=self.cfg.threads, largest_body=largest_body)

    async def _shutdown(self) -> None:
        # A worker that ends would wait for browsers that keep an idle connection open.
        for connection in list(self.connections):
            connection.close_if_idle()
        await super()._shutdown()
