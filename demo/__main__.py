"""`make demo`: start everything, print where it is, and stop all of it on Ctrl-C. `python -m demo --help` says more."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import environ
import psycopg

from demo.processes import DidNotStart, Process
from demo.screen import Screen, summary
from demo.servers import create_missing_database, redis_answers
from demo.stack import CHECKOUT, Stack


class AskedToStop(Exception):
    """Ctrl-C, or a termination signal from another process."""


def main() -> int:
    """Run the demo until it is asked to stop; 1 if it could not start or if a process ended by itself."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="Lectern's demo: the whole site on this machine."
    )
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".local" / "demo", help="where its data lives")
    folder = parser.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            # The lock is held until this process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            where = lock.read().strip() or "and is just starting"
            sys.stdout.write(f"The demo already runs from here: {where}. Stop it with Ctrl-C in its window.\n")
            return 0
        lock.truncate(0)
        return run(folder, lock_file=Path(lock.name))


def run(folder: Path, *, lock_file: Path) -> int:
    """Start the stack, watch over it, stop it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask_to_stop)
    began_at = time.monotonic()
    screen = Screen(folder / "logs")
    # `.env` counts for the demo as for the site itself.
    if (CHECKOUT / ".env").exists():
        environ.Env.read_env(CHECKOUT / ".env")
    stack: Stack | None = None
    try:
        stack = Stack(folder=folder, environment=os.environ, sink=screen.show_line)
        start(stack, screen)
        lock_file.write_text(stack.base_url)
        screen.show(summary(stack, seconds=time.monotonic() - began_at))
        died = watch(stack)
    except AskedToStop:
        screen.show("")
        return 0
    except DidNotStart as failure:
        screen.show_failure(str(failure))
        return 1
    else:
        screen.show_failure(f"{died.obituary()}\nThe demo cannot go on without {died.name}.")
        return 1
    finally:
        # From here on a second Ctrl-C changes nothing: everything ends within seconds.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if stack:
            screen.show_step("Stopping")
            stack.stop()
            screen.show_step("Stopped; nothing is left running")
        lock_file.write_text("")


def start(stack: Stack, screen: Screen) -> None:
    """Start the site, reporting each step. Raises DidNotStart."""
    for line in stack.start_servers():
        screen.show_step(line)
    with _explained_failures(stack):
        create_missing_database(stack.database_url)
        if not redis_answers(stack.redis_url):
            raise DidNotStart("No Redis answers at REDIS_URL.")
    screen.show_step("Preparing the database and the demo's data")
    if stack.has_sandbox:
        # The sandbox needs none of the others, so it starts meanwhile.
        stack.sandbox.start()
    for line in stack.manage("load_demo_data"):
        screen.show_step(line)
    screen.show_step("Starting the site")
    for process in stack.start_site():
        screen.show_step(f"{process.name} is ready")
    screen.is_verbose = True


def watch(stack: Stack) -> Process:
    """Return the first process that ends by itself."""
    while not (died := stack.dead()):
        time.sleep(0.5)
    return died


@contextlib.contextmanager
def _explained_failures(stack: Stack) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        whose = "The embedded PostgreSQL" if stack.postgres else "The database at DATABASE_URL"
        raise DidNotStart(f"{whose} cannot be used: {error}") from error


def _ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    raise AskedToStop


if __name__ == "__main__":
    sys.exit(main())
