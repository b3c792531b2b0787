"""The deliveries of this checkout against those of an earlier revision, by turns on the same machine.

    make bench ARGS=earlier REVISION=v0.1

A crowd's times change by half with what else the machine does, so both are measured again and again, one after the other,
and the medians of their p99 are compared.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.stack import CHECKOUT

ROUNDS = 3
# How much slower the slowest hundredth of deliveries may have become.
AT_MOST = 1.15
_MEDIAN = re.compile(r"^delivered after payment, p99 .* median ([\d.]+) s", re.MULTILINE)


def measure(folder: Path, say: Any) -> bool:
    """Print the ratio of the medians; False if it exceeds AT_MOST or a run failed."""
    revision = os.environ.get("REVISION", "")
    if not revision:
        say("Name the earlier revision: make bench ARGS=earlier REVISION=...")
        return False
    earlier = folder / "checkout"
    _git("worktree", "prune")
    _git("worktree", "add", "--force", "--detach", str(earlier), revision)
    try:
        times: dict[str, list[float]] = {"earlier": [], "now": []}
        for _ in range(ROUNDS):
            for name, checkout in (("earlier", earlier), ("now", CHECKOUT)):
                times[name].append(_p99_of_deliveries(checkout))
                say(f"{name}: p99 of deliveries {times[name][-1]:.2f} s")
    finally:
        _git("worktree", "remove", "--force", str(earlier))
    ratio = statistics.median(times["now"]) / statistics.median(times["earlier"])
    say(f"now / {revision}: {ratio:.2f}, target at most {AT_MOST}")
    return ratio <= AT_MOST


def _p99_of_deliveries(checkout: Path) -> float:
    """The median p99 of the crowds of `benchmarks delivery`, in seconds."""
    command = [sys.executable, "-m", "benchmarks", "delivery"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)  # noqa: S603
    found = _MEDIAN.search(done.stdout)
    if not found:
        raise RuntimeError(f"{checkout}: {(done.stdout + done.stderr)[-2000:]}")
    return float(found.group(1))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=CHECKOUT, check=True, capture_output=True)  # noqa: S603, S607
