import pytest

from jobs import wakeups
from webhooks.models import Delivery
from webhooks.tests.receiver import Receiver


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def woken(monkeypatch):
    """The kinds of work for which a worker was woken; no message is sent."""
    asked = []
    monkeypatch.setattr(wakeups, "_waker", wakeups.Waker(asked.append))
    monkeypatch.setattr(wakeups._waker, "ask", asked.append)
    return asked


@pytest.fixture
def time_passes():
    """Leases end, and delayed work becomes due."""

    def pass_time():
        Delivery.objects.filter(state__in=["waiting", "running"]).update(run_after="2000-01-01T00:00Z")

    return pass_time
