"""Fixtures for tests that need the whole site. tests/README.md explains them."""

import os
from pathlib import Path

import pytest

from demo.servers import create_missing_database, remove_data
from demo.stack import CHECKOUT, Ports, Stack
from tests.site import Site

LOGS = CHECKOUT / ".local" / "test" / "logs"
# Given for other uses; the site under test brings its own servers, since tests kill them, and never meets Stripe.
NOT_FOR_THE_SITE = ("DATABASE_URL", "REDIS_URL", "BASE_URL", "DEBUG", "EMAIL_URL", "MAIL_PROVIDER")


# Before xdist looks at the marks: later ones go unnoticed, and each process of a parallel run would start a site.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of the running site share it, so one process of a parallel run does them all."""
    for item in items:
        if "running_site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("site"))


@pytest.fixture(scope="session")
def running_site():
    """The demo's own stack with servers, data and ports of its own, started once."""
    folder = CHECKOUT / ".local" / "test" / f"site-{os.getpid()}"
    LOGS.mkdir(parents=True, exist_ok=True)
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
    stack = Stack(
        folder=folder, environment=environment, sink=keep, is_durable=False, ports=Ports(web=18000, sandbox=22111)
    )
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
    """The running site with all its processes alive; what a test killed or switched is put right after it."""
    running_site.restore()
    yield running_site
    running_site.restore()
