"""Runs schemathesis, as an integrator would: a process of its own that knows only the document and a token."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# A document cannot say which things exist, or which codes and digests are good, so a request that fits it may be
# refused. What does not fit it must be.
NOT_CHECKED = "positive_data_acceptance"


def find_faults(url, secret, *, examples, phases, folder, seed=""):
    """What schemathesis found, for people to read; empty if it found nothing. It prints its seed, which repeats a run."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
        *("run", f"{url}/api/schema/", "--phases", phases, "--max-examples", str(examples)),
        *("--exclude-checks", NOT_CHECKED, "--continue-on-failure", "--generation-database", "none"),
        *("--warnings", "off", "--request-timeout", "60"),
        *(["--header", f"Authorization: Bearer {secret}"] if secret else []),
        *(["--seed", seed] if seed else []),
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.checks", "PYTHONPATH": str(CHECKOUT)}
    # Elsewhere, since it leaves files in the current folder.
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )
    assert "Test cases:" in done.stdout, done.stdout
    return done.stdout if done.returncode else ""
