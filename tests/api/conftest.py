"""The API as programs reach it: over HTTP, with tokens, from the web server that Lectern runs on."""

import os
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.db import connection

from demo.processes import Command, Process, answers_http, free_port
from demo.stack import CHECKOUT
from integrations.tests.factories import token_and_secret
from payments.tests.conftest import sample_domain, sandbox_process, stripe_sandbox
from tests.market import open_market

__all__ = ["sample_domain", "sandbox_process", "stripe_sandbox"]

ROLES = ("guest", "student", "teacher", "staff")


@pytest.fixture
def market(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path
    return open_market()


def people_of(market):
    """One person of each role; None for guests."""
    people = {"guest": None, "student": market.student, "teacher": market.teacher.user, "staff": market.staff["admin"]}
    assert tuple(people) == ROLES
    return people


@pytest.fixture(scope="session")
def web_server(django_db_setup, sandbox_process):
    """gunicorn with our configuration on the tests' own database: its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "tests.api.settings",
        "BASE_URL": url,
        "SANDBOX_URL": sandbox_process.url,
        "STRIPE_ACCOUNT_ID": sandbox_process.ACCOUNT_ID,
    }
    options = ["-c", "config/gunicorn.py", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"]
    written = []
    command = Command(
        name="web",
        arguments=[sys.executable, "-m", "gunicorn", *options, "config.wsgi"],
        environment=lambda: environment,
        folder=CHECKOUT,
        is_ready=answers_http(f"{url}/"),
    )
    process = Process(command, lambda _name, line: written.append(line))
    process.start()
    process.wait_until_ready()
    yield SimpleNamespace(url=url, log=written)
    process.stop()


@pytest.fixture
def served(transactional_db, stripe_sandbox, web_server, market):
    """The market behind that server: its address, and the token of each role."""
    secrets = {
        role: token_and_secret(person, name="Tests")[1] if person else "" for role, person in people_of(market).items()
    }
    return SimpleNamespace(url=web_server.url, log=web_server.log, secrets=secrets, market=market)
