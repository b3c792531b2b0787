"""Run mutmut on a copy of the project, and compare the survivors with the reviewed list."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.mutants.selection import RULES, TESTS

ROOT = Path(__file__).resolve().parent.parent.parent
COPY = ROOT / ".local" / "mutants"
REVIEWED = Path(__file__).with_name("equivalent.toml")
SETTINGS = """
[tool.mutmut]
source_paths = {packages}
only_mutate = {rules}
also_copy = ["manage.py"]
pytest_add_cli_args = ["--noconftest", "-p", "no:xdist", "--hypothesis-seed=0", "-q"]
pytest_add_cli_args_test_selection = {tests}
"""
# Three steps deep is enough to reach every rule, and a mutant is tried in a second.
ENVIRONMENT = {
    "LECTERN_ENV": "development",
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "EXHAUSTIVE_DEPTH": "3",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def main():
    copy_project()
    mutmut("run", *sys.argv[1:], is_shown=True)
    survivors = {change for name in surviving() for change in [change_of(name)]}
    reviewed = {(each["where"], each["was"], each["becomes"]) for each in read_reviewed()}
    for change in sorted(survivors - reviewed):
        say("No test notices:", *as_text(change))
    gone = set() if sys.argv[1:] else reviewed - survivors
    for change in sorted(gone):
        say("Listed as equivalent, but noticed or gone:", *as_text(change))
    say(f"{len(survivors)} survivors, {len(survivors & reviewed)} of them reviewed")
    return bool(survivors - reviewed or gone)


def copy_project():
    """Only what git knows, so that neither data nor earlier mutants are copied."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = [Path(name) for name in listed.stdout.splitlines()]
    for file in files:
        target = COPY / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / file).is_file():
            shutil.copyfile(ROOT / file, target)
    packages = sorted({file.parts[0] for file in files if len(file.parts) == 2 and file.name == "__init__.py"})
    settings = SETTINGS.format(packages=packages, rules=RULES, tests=TESTS)
    with (COPY / "pyproject.toml").open("a") as pyproject:
        pyproject.write(settings.replace("'", '"'))


def mutmut(*arguments, is_shown=False):
    command = [Path(sys.executable).with_name("mutmut"), *arguments]
    done = subprocess.run(
        command, cwd=COPY, env={**os.environ, **ENVIRONMENT}, text=True, check=False, capture_output=not is_shown
    )
    if done.returncode:
        sys.exit(f"mutmut {' '.join(arguments)} failed: {done.stdout or ''}{done.stderr or ''}")
    return "" if is_shown else done.stdout


def surviving():
    """Names of mutants that no test failed for; one that ran without an end was noticed."""
    lines = [line.strip().rpartition(": ") for line in mutmut("results").splitlines() if ": " in line]
    unknown = {status for _, _, status in lines} - {"survived", "no tests", "timeout", "not checked"}
    if unknown:
        sys.exit(f"mutmut could not say what became of some mutants: {unknown}")
    return [name for name, _, status in lines if status in ("survived", "no tests")]


def change_of(name):
    """Where the change is, the lines before and after it. Numbers would change with every line that is added."""
    where = re.sub(r"x_|xǁ", "", name.partition("__mutmut_")[0]).replace("ǁ", ".")
    lines = mutmut("show", name).splitlines()
    was, becomes = (
        "\n".join(line[1:].strip() for line in lines if re.match(rf"{sign}(?!{sign})", line)) for sign in (r"\-", r"\+")
    )
    return where, was, becomes


def as_text(change):
    where, was, becomes = change
    return [
        f"  {where}",
        *(f"    - {line}" for line in was.split("\n")),
        *(f"    + {line}" for line in becomes.split("\n")),
    ]


def say(*lines):
    sys.stdout.write("\n".join([*lines, ""]))


def read_reviewed():
    return tomllib.loads(REVIEWED.read_text()).get("equivalent", [])


if __name__ == "__main__":
    sys.exit(main())
