"""How fast the sandbox answers with ten thousand objects of each kind, and whether it survives a crowd and crashes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.intervals import percentile
from benchmarks.sandbox_answers import HELD_TO_TARGET, SEARCH, Caller, filled, filled_form, latencies_of, told
from benchmarks.sandbox_kinds import FUNDS, INNER, KINDS, PREPARED, SEQUENCES
from benchmarks.targets import report_seconds
from demo.stack import CHECKOUT
from sandbox.tests.crowds import kill_while_writing, pay_at_once, what_is_wrong_after_a_crash
from sandbox.tests.sandbox_process import WEBHOOK_SECRET, Receiver, SandboxProcess
from sandbox.tests.triggers import pull

OBJECTS_OF_EACH_KIND = 10_000
SAMPLE_OF_EACH_KIND = 200
BUYERS = 200
CRASHES = 3
# Seconds, at p99. A search reads all objects of a kind, as Stripe's does.
SLOWEST, SLOWEST_SEARCH = 0.025, 0.1


class NotCovered(Exception):
    """The sandbox keeps a kind of object that is not measured, or the other way round."""


def measure(folder: Path, say: Any) -> bool:
    """Print all percentiles, then test a crowd and crashes; False if anything was lost."""
    _measure_answers(folder / "full", say)
    return all((_try_crowd(folder / "crowd", say), _try_crashes(folder / "crash", say)))


def _measure_answers(folder: Path, say: Any) -> None:
    folder.mkdir()
    with _running(folder) as sandbox:
        named = _prepare(sandbox)
        sandbox.stop()
        counts, samples = _fill(sandbox)
        size = sandbox.database.stat().st_size / 1e6
        say(f"{len(counts)} kinds, {sum(counts.values()):,} objects, {size:,.0f} MB; p50/p90/p99 in ms")
        sandbox.start()
        caller = Caller(sandbox.port)
        slowest = dict.fromkeys((*HELD_TO_TARGET, SEARCH), 0.0)
        for kind in KINDS:
            latencies = latencies_of(kind, caller, samples[kind.name], named)
            say(f"{kind.name:29}" + "   ".join(f"{way} {told(taken)}" for way, taken in latencies.items()))
            slowest |= {way: max(slowest[way], percentile(taken, 0.99)) for way, taken in latencies.items()}
    for way, seconds in slowest.items():
        target = SLOWEST_SEARCH if way == SEARCH else SLOWEST
        say(f"slowest p99 of {way}: {seconds * 1000:.1f} ms   target: at most {target * 1000:.0f} ms")
        report_seconds(seconds, at_most=target, say=say)


@contextmanager
def _running(folder: Path, **changes: str) -> Iterator[SandboxProcess]:
    # As it is normally run: without a record of every answer.
    sandbox = SandboxProcess(folder, SANDBOX_LOG_FILE="", SANDBOX_LOG_DELIVERIES="0", **changes)
    try:
        yield sandbox
    finally:
        sandbox.close()


def _prepare(sandbox: SandboxProcess) -> dict[str, str]:
    """Make at least one object of each kind; returns the ids that the forms refer to."""
    caller = Caller(sandbox.port)
    caller.ask("POST", "payment_intents", FUNDS)
    for name in SEQUENCES:
        pull(sandbox, name)
    named = {"account": caller.ask("GET", "accounts")[0]["data"][0]["id"]}
    for name, path, form in PREPARED:
        named[name] = caller.ask("POST", filled(path, named), filled_form(form, named))[0]["id"]
    named["fee"] = caller.ask("GET", "application_fees")[0]["data"][0]["id"]
    named["file"] = _upload(sandbox)
    for kind in KINDS:
        if kind.form is not None:
            caller.ask("POST", filled(kind.path, named), filled_form(kind.form, named))
    return named


def _upload(sandbox: SandboxProcess) -> str:
    form = {"purpose": "dispute_evidence"}
    content = {"file": ("receipt.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png")}
    answer = sandbox.http.post(f"{sandbox.url}/v1/files", data=form, files=content, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _fill(sandbox: SandboxProcess) -> tuple[dict[str, int], dict[str, list[dict[str, str]]]]:
    """Fill the file; returns how many objects of each kind there are, and some of each. Raises NotCovered."""
    command = [sys.executable, "-m", "benchmarks.sandbox_filling", str(OBJECTS_OF_EACH_KIND), str(SAMPLE_OF_EACH_KIND)]
    done = subprocess.run(command, env=sandbox.environment, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    made = json.loads(done.stdout)
    different = (made["counts"].keys() - INNER) ^ {kind.name for kind in KINDS}
    if different or min(made["counts"].values()) < OBJECTS_OF_EACH_KIND:
        raise NotCovered(f"{different or made['counts']}")
    return made["counts"], made["samples"]


def _try_crowd(folder: Path, say: Any) -> bool:
    folder.mkdir()
    receiver = Receiver()
    try:
        address = {"SANDBOX_WEBHOOK_URL": receiver.url, "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET}
        with _running(folder, **address) as sandbox:
            rush = pay_at_once(sandbox, receiver, BUYERS)
    finally:
        receiver.close()
    say(f"{BUYERS} checkouts at once: {told(rush.latencies)} ms, {len(receiver.received)} deliveries")
    for problem in rush.problems:
        say(f"LOST: {problem}")
    return not rush.problems


def _try_crashes(folder: Path, say: Any) -> bool:
    folder.mkdir()
    problems: list[str] = []
    with _running(folder) as sandbox:
        for _ in range(CRASHES):
            sandbox.switch("reset")
            work = kill_while_writing(sandbox)
            problems += what_is_wrong_after_a_crash(sandbox, work)
            say(f"killed after {len(work.requested)} payments; lost or twice: {len(problems)}")
    for problem in problems:
        say(f"LOST: {problem}")
    return not problems
