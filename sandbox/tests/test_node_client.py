"""A dozen flows with Stripe's client for Node, whose requests differ from those of the client for Python."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.tests.sandbox_process import KEY, ROOT

SOURCES = Path(__file__).parent / "node"
FLOWS = re.findall(r"^  async (\w+)\(\)", (SOURCES / "flows.mjs").read_text(), re.MULTILINE)


@pytest.fixture(scope="session")
def node_folder():
    """A folder with Stripe's package in the locked version and the flows, installed once and never changed after."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are not installed (on Debian: apt-get install nodejs npm)")
    names = ("package.json", "package-lock.json", ".npmrc", "flows.mjs")
    locked = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in names)).hexdigest()[:16]
    folder = ROOT / ".local" / "node" / locked
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Several test processes share the folder.
        if not (folder / "installed").exists():
            # Only now: afterwards another process may be reading them. A changed file has a folder of its own.
            for name in names:
                shutil.copyfile(SOURCES / name, folder / name)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "installed").touch()
    return folder


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_with_the_node_client(sandbox, node_folder, flow):
    environment = os.environ | {"SANDBOX_URL": sandbox.url, "SANDBOX_KEY": KEY}
    done = subprocess.run(
        ["node", "flows.mjs", flow],
        cwd=node_folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_lock_names_no_registry():
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text()
    assert len(FLOWS) >= 12
