"""One child process: started, watched until it is ready, and stopped with everything it started itself.

Children get a session of their own, so Ctrl-C in the terminal reaches only the process that started them, which then
stops them in order. Independent of Django: the demo and the browser tests both start the site through this module.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, cast

from demo.ports import LISTENER, HeldPort, PortTaken

LineSink = Callable[[str, str], None]
PR_SET_PDEATHSIG = 1
# Colours that some programs print even when their output is no terminal.
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class DidNotStart(Exception):
    """A process ended, or was not ready in time. The message carries its last lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run and how to tell that it is ready. `grace` is how many seconds it gets to stop by itself."""

    name: str
    arguments: list[str]
    # Called at each start.
    environment: Callable[[], Mapping[str, str]]
    folder: Path
    is_ready: Callable[[], bool] | None = None
    # A line of output that says it is ready, for programs that listen on no port.
    ready_line: str = ""
    ready_within: float = 60.0
    stop_signal: int = signal.SIGTERM
    grace: float = 6.0
    # The user to run as, for programs that refuse root; and the niceness towards the other processes.
    user: str | None = None
    niceness: int = 0
    # Where it listens. LISTENER in its arguments or variables becomes the socket; otherwise the port is freed at the
    # start.
    port: HeldPort | None = None
    # A verbose program: its output goes only to its log.
    is_quiet: bool = False


@dataclass(slots=True)
class Process:
    """A command that runs, ran or will run again: `start`, `stop` and `kill` may follow each other in any order."""

    command: Command
    sink: LineSink
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=25))
    _child: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None
    _said_ready: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def pid(self) -> int:
        """The process id. Raises DidNotStart if it never ran."""
        if self._child is None:
            raise DidNotStart(f"{self.name} is not running.")
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs or before it was started."""
        return self._child.poll() if self._child else None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it, unless it runs; do not wait. Call from the main thread: on Linux a child ends with that thread."""
        if self.is_running:
            return
        command = self.command
        self._said_ready.clear()
        self.last_lines.clear()
        environment, listener = dict(command.environment()), self._listener()
        as_other_user: dict[str, Any] = {"user": command.user, "group": _group_of(command.user), "extra_groups": []}
        self._child = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            [word.replace(LISTENER, listener) for word in command.arguments],
            env={name: value.replace(LISTENER, listener) for name, value in environment.items()},
            cwd=command.folder,
            pass_fds=[int(listener.removeprefix("fd://"))] if listener else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_settle_in(command),  # noqa: PLW1509 - it only makes two system calls
            **(as_other_user if command.user else {}),
        )
        if command.port:
            command.port.let_go()
        self._reader = threading.Thread(target=self._read, args=(self._child,), name=f"{self.name}-output", daemon=True)
        self._reader.start()

    def _listener(self) -> str:
        """Return the socket's name for a program that takes one over; free the port for a program that does not."""
        port = self.command.port
        if port is None:
            return ""
        words = [*self.command.arguments, *self.command.environment().values()]
        if not any(LISTENER in word for word in words):
            port.let_go()
            return ""
        try:
            return f"fd://{port.hold().fileno()}"
        except PortTaken as taken:
            raise DidNotStart(f"{self.name} cannot start: {taken}") from taken

    def _read(self, child: subprocess.Popen[str]) -> None:
        pattern = re.compile(self.command.ready_line) if self.command.ready_line else None
        output = cast("IO[str]", child.stdout)
        with output:
            for raw_line in output:
                line = ANSI.sub("", raw_line).rstrip()
                self.last_lines.append(line)
                if pattern and pattern.search(line):
                    self._said_ready.set()
                self.sink(self.name, line)

    def is_ready(self) -> bool:
        """Whether it runs and is ready."""
        if not self.is_running or (self.command.ready_line and not self._said_ready.is_set()):
            return False
        return self.command.is_ready is None or self.command.is_ready()

    def wait_until_ready(self) -> None:
        """Return as soon as it is ready. Raises DidNotStart if it ends first or takes too long."""
        gives_up_at = time.monotonic() + self.command.ready_within
        while not self.is_ready():
            if self.exit_code is not None:
                raise DidNotStart(self.obituary())
            if time.monotonic() > gives_up_at:
                raise DidNotStart(f"{self.name} was not ready after {self.command.ready_within:.0f} s.\n{self._tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to stop, kill it after its grace, and return when it and its children are gone."""
        stop_all([self])

    def kill(self) -> None:
        """End it and its children at once, as a crash would (SIGKILL)."""
        self.signal_group(signal.SIGKILL)
        self.reap()

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process itself, which stops its own children; `reap` ends what remains."""
        if self._child and self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(self.command.stop_signal)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and everything it started."""
        if self._child:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, number)

    def reap(self) -> None:
        """Collect an ended process, end what it left behind, and read its output to the end."""
        if self._child:
            self._child.wait()
            self.signal_group(signal.SIGKILL)
        if self._reader:
            self._reader.join(timeout=1)

    def obituary(self) -> str:
        """How it ended, and its last lines of output."""
        code = self.exit_code or 0
        ending = f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        if self._reader:
            self._reader.join(timeout=1)
        return f"{self.name} {ending}.\n{self._tail()}"

    def _tail(self) -> str:
        said = [f"    {line}" for line in self.last_lines]
        return "\n".join(["  It said last:", *said]) if said else "  It said nothing."


def stop_all(processes: Iterable[Process]) -> None:
    """Stop several processes in parallel: all are asked at once, and each is killed when its grace runs out."""
    running = [process for process in processes if process.is_running]
    for process in running:
        process.ask_to_stop()
    asked_at = time.monotonic()
    for process in running:
        while process.is_running and time.monotonic() < asked_at + process.command.grace:
            time.sleep(0.05)
        if process.is_running:
            process.signal_group(signal.SIGKILL)
        process.reap()


def answers_http(url: str) -> Callable[[], bool]:
    """Return a readiness check: a server answers at `url`, and not with a server error."""

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own http address
                return True
        except urllib.error.HTTPError as answer:
            return answer.code < HTTPStatus.INTERNAL_SERVER_ERROR
        except OSError:
            return False

    return check


def free_port(preferred: int = 0, *, tries: int = 50) -> int:
    """`preferred` or the next unused port, for a program that binds it at once. Raises PortTaken."""
    port = HeldPort(preferred, tries=tries)
    port.let_go()
    return port.number


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # absent on Windows, where there is no root either

    return pwd.getpwnam(user).pw_gid


def _settle_in(command: Command) -> Callable[[], None]:
    """Lower the child's priority, and ask for a signal if its parent dies, before the child becomes the program."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def settle_in() -> None:
        if command.niceness:
            os.nice(command.niceness)
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, command.stop_signal)

    return settle_in
