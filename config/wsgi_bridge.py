"""The bridge between slow clients and the site's threads.

A request is received completely before a thread gets it, and an answer is written completely before it is sent. So a
thread is occupied only while the site works, never while a network is slow.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any
from urllib.parse import unquote_to_bytes

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# A body must arrive within this time, or as fast as a slow telephone line sends it.
BODY_GRACE_SECONDS = 10.0
SLOWEST_BODY_BYTES_PER_SECOND = 1000
# How long a refused body is read and discarded. If the connection were closed while the client still sends, it would
# not receive the answer.
_LINGER_SECONDS = 3.0
# Larger bodies are kept on the disk.
_IN_MEMORY_BYTES = 512 * 1024
_CHUNK_BYTES = 64 * 1024


class BodyTooSlow(Exception):
    """The body does not arrive, or too slowly."""


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class BufferedApplication:
    """A WSGI application as an ASGI one, run in threads that get only complete requests."""

    def __init__(self, application: Callable[..., Any], *, threads: int, largest_body: Callable[[str], int]) -> None:
        """`largest_body` returns the size limit of a path in bytes. Larger bodies stay unread; the application refuses.

        Bodies without a length stay unread, too, since WSGI applications cannot read them.
        """
        self._application = application
        self._largest_body = largest_body
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="site")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        environ = environ_of(scope)
        length = _announced_length(environ)
        is_taken = length <= self._largest_body(environ["PATH_INFO"]) and "HTTP_TRANSFER_ENCODING" not in environ
        with _spool() as body, _spool() as answer:
            try:
                await _receive_body(receive, body, length if is_taken else 0)
            except BodyTooSlow:
                await _send_timeout(send)
                return
            except ClientGone:
                return
            environ["wsgi.input"] = body
            loop = asyncio.get_running_loop()
            start = await loop.run_in_executor(self._threads, self._run, environ, answer)
            if not is_taken:
                start["headers"].append((b"connection", b"close"))
            await _send_answer(send, start, answer)
        if not is_taken:
            await _discard(receive)

    def _run(self, environ: dict[str, Any], answer: IO[bytes]) -> Message:
        """Run the application in one of our threads. Returns the head of its answer; writes the body to `answer`."""
        head: Message = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            del exc_info  # nothing has been sent yet, so a second call may replace the first
            head.update(type="http.response.start", status=int(status.split(" ", 1)[0]), headers=headers)
            return answer.write

        parts: Iterable[bytes] = self._application(environ, start_response)
        try:
            for part in parts:
                answer.write(part)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        head["headers"] = _as_bytes(head["headers"], length=answer.tell(), method=environ["REQUEST_METHOD"])
        return head


def environ_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environ of PEP 3333, without the body."""
    server, client = scope["server"] or ("", 0), scope["client"] or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope["root_path"],
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1") or "/",
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": str(client[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        if name not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            name = f"HTTP_{name}"
        separator = "; " if name == "HTTP_COOKIE" else ","
        environ[name] = f"{environ[name]}{separator}{value}" if name in environ else value
    return environ


def _announced_length(environ: Mapping[str, Any]) -> int:
    # The server has refused anything but a number.
    return int(environ.get("CONTENT_LENGTH") or 0)


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)


async def _receive_body(receive: Receive, body: IO[bytes], length: int) -> None:
    """Write the whole body to `body`. Raises BodyTooSlow or ClientGone."""
    loop = asyncio.get_running_loop()
    started, taken = loop.time(), 0
    while taken < length:
        # The average since the beginning counts, so a client that was fast before may pause.
        due_at = started + BODY_GRACE_SECONDS + taken / SLOWEST_BODY_BYTES_PER_SECOND
        if due_at <= loop.time():
            raise BodyTooSlow
        try:
            message = await asyncio.wait_for(receive(), timeout=due_at - loop.time())
        except TimeoutError as error:
            raise BodyTooSlow from error
        if message["type"] == "http.disconnect":
            raise ClientGone
        body.write(message["body"])
        taken += len(message["body"])
    body.seek(0)


def _as_bytes(headers: list[tuple[str, str]], *, length: int, method: str) -> list[tuple[bytes, bytes]]:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    has_length = any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in encoded)
    # The answer to HEAD has no body here, but must not claim that the answer to GET is empty.
    return encoded if has_length or method == "HEAD" else [*encoded, (b"content-length", b"%d" % length)]


async def _send_answer(send: Send, start: Message, answer: IO[bytes]) -> None:
    left = answer.tell()
    answer.seek(0)
    await send(start)
    while left > _CHUNK_BYTES:
        left -= _CHUNK_BYTES
        # Waits while the client reads slowly; config/web_worker.py aborts the connection if it stops reading.
        await send({"type": "http.response.body", "body": answer.read(_CHUNK_BYTES), "more_body": True})
    await send({"type": "http.response.body", "body": answer.read()})


async def _send_timeout(send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 408, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
