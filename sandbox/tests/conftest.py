"""One sandbox process for all these tests, reset before each."""

import pytest

from sandbox.tests.sandbox_process import WEBHOOK_SECRET, Receiver, SandboxProcess


@pytest.fixture(scope="session")
def _receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def _process(_receiver, tmp_path_factory):
    process = SandboxProcess(
        tmp_path_factory.mktemp("sandbox"),
        SANDBOX_WEBHOOK_URL=_receiver.url,
        SANDBOX_WEBHOOK_SECRET=WEBHOOK_SECRET,
    )
    yield process
    process.close()


@pytest.fixture
def sandbox(_process, _receiver):
    """The running sandbox, empty."""
    _process.drain()
    _process.switch("reset", keep_endpoints=False)
    _receiver.received.clear()
    _receiver.answers.clear()
    return _process


@pytest.fixture
def client(sandbox):
    """Stripe's own client, configured for the sandbox."""
    return sandbox.client


@pytest.fixture
def receiver(_receiver, sandbox):
    """The configured endpoint, with the events it received."""
    return _receiver


@pytest.fixture
def own_receiver():
    """An endpoint for a test that starts its own sandbox; it receives no deliveries of the shared sandbox."""
    receiver = Receiver()
    yield receiver
    receiver.close()
