"""What would break under another version of Stripe's API: the tests of payments that fail under it, and not without it.

The sandbox knows the version that is pinned, and of the next one what is gone (`sandbox/protocol/versions.py`).
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("payments", "subscriptions", "tests/money_bugs")
# Random sequences: what they find depends on the run, and not on the version.
NOT_THOSE = "not machine and not sequence"
VERSION = "STRIPE_API_VERSION"


def main():
    version, chosen = os.environ[VERSION], sys.argv[1:]
    under_it = failures(os.environ, *(chosen or [*TESTS, "-k", NOT_THOSE]))
    if not under_it:
        say(f"Nothing breaks under {version}.")
        return
    now = {name: value for name, value in os.environ.items() if name != VERSION}
    without_it = failures(now, *under_it)
    breaks = {test: problem for test, problem in under_it.items() if test not in without_it}
    say(f"Under {version}, {len(breaks)} tests break:")
    for test, problem in sorted(breaks.items()):
        say(f"{test}\n    {problem}")
    if without_it:
        say("These fail without it, too:", *sorted(without_it))
    sys.exit(bool(breaks))


def failures(environment, *tests):
    """The tests that fail, each with the first line of what it says."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "3",
            "-q",
            "-o",
            "junit_family=xunit1",
            f"--junit-xml={report}",
        ]
        subprocess.run([*command, *tests], cwd=ROOT, env=environment, check=False)
        if not report.exists():
            sys.exit("The tests could not be run.")
        return dict(failed_in(report))


def failed_in(report):
    for case in ET.parse(report).iter("testcase"):
        problem = case.find("failure") if case.find("failure") is not None else case.find("error")
        if problem is not None:
            classes = case.get("classname").removeprefix(case.get("file").removesuffix(".py").replace("/", "."))
            names = [*filter(None, classes.split(".")), case.get("name")]
            yield "::".join([case.get("file"), *names]), problem.get("message").partition("\n")[0]


def say(*lines):
    print(*lines, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
