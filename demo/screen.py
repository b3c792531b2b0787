"""What the demo shows in the terminal: steps while it starts, then each process's lines with its name in front."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from demo.accounts import ACCOUNTS, PASSWORD
from demo.stack import Stack

# The timestamp that log lines begin with; on the screen it is left out.
STAMP = re.compile(r"^\d{4}-\d\d-\d\d[T ][\d:.]+Z? |^\[\d{4}-[^]]*\] ?(\[\d+\] )?")
# Verbose processes; their output is in their logs.
QUIET = frozenset({"postgres", "redis"})
# Lines that repeat every two seconds while all is well.
ROUTINE = re.compile(
    r"jobs\.(sweep|drain)|Sending due task|GET /demo/(mailbox/)?\?refresh|/static/|GET /demo/ HTTP.*urllib"
)
COLOURS = {"web": 36, "worker": 32, "stripe": 31, "webhooks": 36, "background": 33, "beat": 35, "sandbox": 34}
WIDTH = 78


class Screen:
    """Writes the lines of many threads one at a time, and keeps a log of each process under `logs`."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.is_verbose = False
        self._logs = logs
        self._files: dict[str, TextIO] = {}
        self._began_at = time.monotonic()
        self._writing = threading.Lock()
        self._has_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def show(self, text: str) -> None:
        """Write text unchanged."""
        with self._writing:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def show_step(self, text: str) -> None:
        """Report a finished step, with the seconds since the start."""
        self.show(f"{time.monotonic() - self._began_at:6.1f} s  {text}")

    def show_failure(self, text: str) -> None:
        """Report what went wrong."""
        self.show(f"\n{self._coloured(text, 31)}\n\nThe logs are in {self._logs}")

    def show_line(self, name: str, line: str) -> None:
        """Show and log one line that a process wrote."""
        with self._writing:
            file = self._files.get(name)
            if file is None:
                file = self._files[name] = (self._logs / f"{name}.log").open("w", buffering=1)
            file.write(f"{line}\n")
            if self.is_verbose and line and name not in QUIET and not ROUTINE.search(line):
                said = " ".join(STAMP.sub("", line).split())
                sys.stdout.write(f"{self._coloured(f'{name:>10} |', COLOURS.get(name, 37))} {said}\n")
                sys.stdout.flush()

    def _coloured(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._has_colour else text


def summary(stack: Stack, *, seconds: float) -> str:
    """Return what users need to know once everything runs, in a frame."""
    lines = [
        f"Lectern is ready, after {seconds:.0f} seconds.",
        "",
        f"  The site          {stack.base_url}/",
        f"  Sign in by click  {stack.base_url}/demo/",
        f"  Emails it sent    {stack.base_url}/demo/mailbox/",
        f"  Admin             {stack.base_url}/admin/",
    ]
    if stack.has_sandbox:
        lines += [
            f"  Payments sandbox  {stack.sandbox_url}/",
            "  Pay with card     4242 4242 4242 4242, any future date, any CVC",
        ]
    lines += ["", f"  Password of all   {PASSWORD}"]
    lines += [f"    {account.email:<26}{account.role}" for account in ACCOUNTS]
    lines += ["", "Ctrl-C stops everything."]
    width = max(WIDTH, *(len(line) + 4 for line in lines))
    edge = "─" * (width - 2)
    framed = [f"│ {line:<{width - 4}} │" for line in lines]
    return "\n".join(["", f"┌{edge}┐", *framed, f"└{edge}┘", ""])
