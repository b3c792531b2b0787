"""Post a message to an address that another person chose, whatever that server does.

No redirect is followed, no proxy used, no answer waited for longer than the deadline or read beyond its beginning.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webhooks.models.deliveries import LONGEST_BEGINNING
from webhooks.targets import SocketAddress, Target, TargetRefused, look_up

DEADLINE_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
# The status code is the answer; its body is only shown to people.
_BODY_SECONDS = 2.0
_ADDRESSES_TRIED = 3


class NoAnswer(Exception):
    """No answer arrived. The message says why, to the endpoint's owner."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    beginning: str
    retry_after: str


class _Deadline:
    """Ends a connection when its time is up, wherever it hangs: time-outs of sockets begin anew with each byte."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self.has_passed = False

    @property
    def left(self) -> float:
        return max(self._ends_at - time.monotonic(), 0.001)

    def watch(self, connection: socket.socket) -> None:
        self._socket = connection

    def refuse_if_passed(self) -> None:
        """Raise TimeoutError: Python takes headers that break off for complete ones."""
        if self.has_passed:
            raise TimeoutError

    @contextlib.contextmanager
    def enforced(self, seconds: float | None = None) -> Iterator[None]:
        """End the watched connection after `seconds`, or at the deadline."""
        timer = threading.Timer(self.left if seconds is None else min(seconds, self.left), self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        self.has_passed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not the method of SSLSocket, which would take its state away under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    """A connection to the addresses that were checked, and to no others."""

    def __init__(self, target: Target, deadline: _Deadline) -> None:
        super().__init__(target.host, target.port, timeout=_CONNECT_SECONDS)
        # What the Host header leaves out.
        self.default_port = 443 if target.is_https else 80
        self._target = target
        self._deadline = deadline

    def connect(self) -> None:
        """Look the name up, check every address behind it, and connect to one of those."""
        plain = self._connect_to_one(look_up(self._target))
        self._deadline.watch(plain)
        self.sock = plain
        if self._target.is_https:
            # The handshake comes after the deadline knows the socket that takes over the connection.
            secured = ssl.create_default_context().wrap_socket(
                plain, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock = secured
            self._deadline.watch(secured)
            secured.do_handshake()

    def _connect_to_one(self, addresses: list[SocketAddress]) -> socket.socket:
        last_error: OSError = OSError("The name leads to no address.")
        for family, address in addresses[:_ADDRESSES_TRIED]:
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.settimeout(min(_CONNECT_SECONDS, self._deadline.left))
            try:
                connection.connect(address)
            except OSError as error:
                connection.close()
                last_error = error
            else:
                connection.settimeout(self._deadline.left)
                return connection
        raise last_error


def post(target: Target, *, headers: Mapping[str, str], body: bytes, seconds: float = DEADLINE_SECONDS) -> Answer:
    """Post a body and return the answer. Raises TargetRefused or NoAnswer."""
    deadline = _Deadline(seconds)
    connection = _Connection(target, deadline)
    try:
        with deadline.enforced():
            connection.request("POST", target.resource, body=body, headers=dict(headers))
            response = connection.getresponse()
        deadline.refuse_if_passed()
        return Answer(response.status, _beginning(response, deadline), response.headers.get("Retry-After", ""))
    except TargetRefused:
        raise
    except Exception as error:
        raise NoAnswer(_explain(error, deadline, seconds)) from error
    finally:
        connection.close()


def _beginning(response: http.client.HTTPResponse, deadline: _Deadline) -> str:
    """The first bytes of the body, as text that can be stored; empty if none arrive soon."""
    try:
        with deadline.enforced(_BODY_SECONDS):
            first = response.read1(LONGEST_BEGINNING)
    except (OSError, http.client.HTTPException, ValueError):
        return ""
    finally:
        response.close()
    return first.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _explain(error: Exception, deadline: _Deadline, seconds: float) -> str:
    if deadline.has_passed or isinstance(error, TimeoutError):
        return f"No answer within {seconds:.0f} seconds."
    match error:
        case ssl.SSLCertVerificationError():
            why = f"The certificate is not valid: {error.verify_message}."
        case ssl.SSLError():
            why = f"No encrypted connection: {error.reason or 'the server ended it'}."
        case socket.gaierror():
            why = "The name of the server is not known."
        case ConnectionRefusedError():
            why = "The server refuses connections."
        case http.client.RemoteDisconnected():
            why = "The server closed the connection without an answer."
        case http.client.HTTPException():
            why = "The answer is no HTTP."
        case _:
            why = "The connection broke."
    return why
