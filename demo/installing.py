"""Make the virtual environment, showing how far it is. Runs under any Python, to say kindly if that one is too old.

Usage: python demo/installing.py FOLDER REQUIREMENTS...
"""

import re
import subprocess
import sys
import venv

OLDEST = (3, 11)
NEEDS_VENV = "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"


def main(folder: str, *lists: str) -> int:
    """Turn an old Python away, or install; 0 if all went well."""
    if sys.version_info < OLDEST:
        sys.stdout.write(f"Lectern needs Python 3.11 or newer; this is {sys.version.split()[0]}.\n")
        sys.stdout.write("If there is a newer one: make demo PYTHON=/path/to/python3.12\n")
        return 1
    return install(folder, lists)


def install(folder: str, lists: "tuple[str, ...]") -> int:
    """Make the environment in `folder`, then let pip install the lists; 0 if all went well."""
    try:
        venv.create(folder, with_pip=True)
    except (ImportError, subprocess.CalledProcessError):
        sys.stdout.write(f"{NEEDS_VENV}\n")
        return 1
    wanted = set()
    for name in lists:
        with open(name) as requirements:  # noqa: PTH123 - one line of a script without our packages
            wanted |= {line.partition("=")[0].strip() for line in requirements if re.match("[A-Za-z]", line)}
    arguments = ["install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    for name in lists:
        arguments += ["-r", name]
    pip = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [f"{folder}/bin/python", "-m", "pip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    found = 0
    for line in pip.stdout or ():
        said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            found += 1
            show(f"Fetching {min(found, len(wanted))} of {len(wanted)} packages")
        elif line.startswith("Installing collected"):
            show("Installing them (the longest step, about half a minute)")
    show("Installed.\n" if pip.wait() == 0 else "Installing failed:\n" + "".join(said[-30:]))
    return pip.returncode


def show(text: str) -> None:
    """Write over the last line in a terminal; elsewhere write only what is worth a line of its own."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K{text}")
    elif not text.startswith("Fetching") or text.startswith(("Fetching 1 ", "Fetching 50 ")):
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
