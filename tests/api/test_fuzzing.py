"""The document is true: whatever is sent, as each role, is answered as it says, and never by a failure.

`make api-fuzz` tries far more, values at every boundary included, and other ones each time (API_FUZZ_SEED repeats a run).
Without it the same few are tried, so that a merge does not fail by what it did not change.
"""

import os

import pytest

from tests.api.conftest import ROLES
from tests.api.fuzzing import find_faults

EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "3"))
SEED = os.environ.get("API_FUZZ_SEED", "" if "API_FUZZ_EXAMPLES" in os.environ else "1")
PHASES = os.environ.get("API_FUZZ_PHASES", "fuzzing,stateful")


@pytest.mark.slow
def test_every_answer_is_as_documented(served, tmp_path):
    faults = {
        role: find_faults(
            served.url, served.secrets[role], examples=EXAMPLES, phases=PHASES, folder=tmp_path, seed=SEED
        )
        for role in ROLES
    }
    assert not any(faults.values()), "\n".join(f"As {role}:\n{found}" for role, found in faults.items() if found)
