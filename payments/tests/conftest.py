from datetime import timedelta

import pytest
import stripe

from accounts.tests.factories import TeacherFactory
from jobs import wakeups
from jobs.invariants import broken, installed_invariants
from jobs.messages import Hint
from payments import gateway, registry, stripe_http, tasks
from payments.rebuilding.rebuild import rebuild
from payments.rebuilding.second_books import compare_books, create_second_books, drop_second_books
from payments.tests.factories import client_of, staff_in
from payments.tests.payout_factories import earn, fund, onboarded
from payments.tests.sample_domain import SAMPLE
from payments.tests.stripe_sandbox import StripeSandbox


@pytest.fixture(autouse=True)
def sample_domain(monkeypatch):
    """The sample domain, registered in addition to the real ones, and empty at the start of each test."""
    monkeypatch.setitem(registry._handlers, SAMPLE.domain, SAMPLE)
    SAMPLE.clear()
    return SAMPLE


@pytest.fixture
def all_invariants_hold(db):
    """They hold after the test, whatever it did."""
    yield
    assert broken(installed_invariants()) == {}


@pytest.fixture
def rebuilt_books_are_equal():
    """What is derived from orders, refunds, disputes and steps is what was booked, whatever the test did."""
    yield
    create_second_books("ashes")
    list(rebuild("ashes", account="", livemode=False))
    compared = compare_books("ashes")
    drop_second_books("ashes")
    assert compared.is_equal, compared


@pytest.fixture
def shares_mature_at_once(settings):
    settings.EARNINGS_HELD_FOR = timedelta(0)


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory):
    sandbox = StripeSandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def stripe_sandbox(sandbox_process, settings, monkeypatch):
    """The sandbox as the gateway's Stripe, without faults."""
    settings.STRIPE_API_HOST = sandbox_process.url
    settings.STRIPE_ACCOUNT_ID = sandbox_process.ACCOUNT_ID
    monkeypatch.setattr(stripe, "api_base", sandbox_process.url)
    forget_stripe()
    sandbox_process.calm()
    yield sandbox_process
    forget_stripe()


@pytest.fixture(scope="session")
def other_platform(tmp_path_factory):
    """A sandbox of another platform, which knows nothing of ours."""
    sandbox = StripeSandbox(tmp_path_factory.mktemp("other_platform"), SANDBOX_ACCOUNT_ID="acct_1AnotherPlatform0")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def use_key_of(settings):
    """A function that replaces the API key by one of another sandbox's platform."""

    def use(sandbox):
        settings.STRIPE_API_HOST = sandbox.url
        forget_stripe()

    return use


@pytest.fixture
def perform_looks(monkeypatch):
    """A function that performs the looks at Stripe that pages requested, as a worker would, and returns their number."""
    sent = []
    monkeypatch.setattr(wakeups._waker, "ask", sent.append)

    def perform():
        looks = [each for each in sent if isinstance(each, Hint)]
        sent.clear()
        for look in looks:
            assert look.task_name == tasks.look_at_stripe.name
            tasks.look_at_stripe(*look.args)
        return len(looks)

    return perform


def forget_stripe():
    """Start each test with new connections and a new circuit."""
    gateway._client.cache_clear()
    stripe_http.http_client.cache_clear()


@pytest.fixture
def sandbox(stripe_sandbox):
    """The sandbox, with money that can be transferred."""
    fund(stripe_sandbox, 100_000)
    return stripe_sandbox


@pytest.fixture
def teacher(sandbox):
    """A teacher with 90.00 USD available and an account that the sandbox has verified."""
    teacher = TeacherFactory()
    onboarded(sandbox, teacher)
    earn(teacher, 9000, "USD")
    return teacher


@pytest.fixture
def finance():
    """The client of a member of staff who may refund and pay out."""
    return client_of(staff_in("finance"))
