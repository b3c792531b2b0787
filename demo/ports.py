"""Ports that are taken at once and held until their program takes them over.

A port that was merely found free can be taken by any program until it is bound. A site that first loads its data binds
it half a minute later, and by then another program may answer there.
"""

from __future__ import annotations

import contextlib
import socket

# Stands for the socket in the arguments and variables of a program that can take over a listening socket.
LISTENER = "fd://the-held-port"


class PortTaken(Exception):
    """Another program listens there."""


class HeldPort:
    """A port of this machine, held by listening on it. Clients that connect early wait for the program."""

    def __init__(self, preferred: int = 0, *, tries: int = 50) -> None:
        """Hold `preferred` or the next free port; any free one without a preference. Raises PortTaken."""
        candidates = range(preferred, preferred + tries) if preferred else [0]
        for port in candidates:
            with contextlib.suppress(PortTaken):
                self._socket: socket.socket | None = _listen(port)
                self.number = int(self._socket.getsockname()[1])
                return
        last = f" to {candidates[-1]}" if tries > 1 else ""
        raise PortTaken(f"Port {preferred}{last} is used by another program.")

    def hold(self) -> socket.socket:
        """Return the listening socket, taking the port again if it was let go. Raises PortTaken."""
        if self._socket is None:
            self._socket = _listen(self.number)
        return self._socket

    def let_go(self) -> None:
        """Close our end: a program given the socket has its own, and one that binds by itself finds the port free."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _listen(port: int) -> socket.socket:
    # Other systems than Linux allow binding beside a program that listens on all addresses, so try to connect first.
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.settimeout(0.5)
        if port and probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PortTaken(f"Port {port} is used by another program.")
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortTaken(f"Port {port} is used by another program.") from error
    return listener
