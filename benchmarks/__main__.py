"""`make bench`: run the measurements, print them, and fail if a ratio is missed or anything went wrong."""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys

from demo.stack import CHECKOUT

MEASUREMENTS = ("acknowledgement", "api-lists", "assignment", "delivery", "ledger", "sandbox")
# Run only when named: each takes a quarter of an hour.
LONG_MEASUREMENTS = ("frozen", "earlier")


def main() -> int:
    """Run the named measurements; 1 if a ratio was missed or anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Lectern's measurements.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="measurement",
        help=f"of {', '.join((*MEASUREMENTS, *LONG_MEASUREMENTS))}; default the first six",
    )
    names = parser.parse_args().names or MEASUREMENTS
    is_met = True
    for name in names:
        if name not in (*MEASUREMENTS, *LONG_MEASUREMENTS):
            parser.error(f"there is no measurement {name!r}")
        folder = CHECKOUT / ".local" / "bench" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _say(f"== {name}")
        is_met &= importlib.import_module(f"benchmarks.{name.replace('-', '_')}").measure(folder, _say)
    _say("no error" if is_met else "an error: a ratio was missed, or something went wrong")
    return 0 if is_met else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
