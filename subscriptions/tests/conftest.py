"""The real sandbox, and people who subscribe there."""

import pytest

from payments.tests.conftest import (  # noqa: F401  # fixtures
    all_invariants_hold,
    sandbox_process,
    shares_mature_at_once,
    stripe_sandbox,
)
from subscriptions.tests.subscribing import Subscriber


@pytest.fixture
def ada(stripe_sandbox):  # noqa: F811
    """Somebody who can subscribe at the sandbox."""
    return Subscriber(stripe_sandbox)
