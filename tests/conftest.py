"""Fixtures for tests that need the whole site. tests/README.md explains them."""

import fcntl
import os
from pathlib import Path

import pytest

from demo.servers import create_missing_database, remove_data
from demo.stack import CHECKOUT, Ports, Stack
from tests.site import Site

LOGS = CHECKOUT / ".local" / "test" / "logs"
# Set for other uses; the site under test has its own servers, since tests kill them, and never calls Stripe.
NOT_FOR_THE_SITE = ("DATABASE_URL", "REDIS_URL", "BASE_URL", "DEBUG", "EMAIL_URL", "MAIL_PROVIDER")


def wished_ports():
    """Ports to begin looking at that no other site being started looks at: one is taken long after it was found free."""
    own = os.getpid() % 4000
    return Ports(web=18000 + own, sandbox=23000 + own)


@pytest.fixture(scope="session")
def alone():
    """Refuse to run two sites of one checkout. They would delete each other's logs and slow each other down."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / "in-use").open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail("Another process runs tests of the running site in this checkout.", pytrace=False)
        yield


@pytest.fixture(scope="session")
def running_site(alone):
    """The demo's own stack with its own servers, data and ports, started once."""
    folder = CHECKOUT / ".local" / "test" / f"site-{os.getpid()}"
    for old in LOGS.glob("*.log"):
        old.unlink()

    def keep(name, line):
        with Path(LOGS / f"{name}.log").open("a") as log:
            log.write(f"{line}\n")

    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_FOR_THE_SITE and not name.startswith(("STRIPE_", "SANDBOX_"))
    }
    stack = Stack(folder=folder, environment=environment, sink=keep, is_durable=False, ports=wished_ports())
    try:
        for _ in stack.start_servers():
            pass
        stack.sandbox.start()
        create_missing_database(stack.database_url)
        for _ in stack.manage("load_demo_data"):
            pass
        for _ in stack.start_site():
            pass
        yield Site(stack)
    finally:
        stack.stop()
        remove_data(folder)


@pytest.fixture
def site(running_site):
    """The running site with all its processes alive; after each test, killed processes and switches are restored."""
    running_site.restore()
    yield running_site
    running_site.restore()
