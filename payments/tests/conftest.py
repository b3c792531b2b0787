import pytest

from payments import registry
from payments.tests.sample_domain import SAMPLE


@pytest.fixture(autouse=True)
def sample_domain(monkeypatch):
    """The sample domain beside the real ones, forgetful from test to test."""
    monkeypatch.setitem(registry._handlers, SAMPLE.domain, SAMPLE)
    SAMPLE.clear()
    return SAMPLE
