"""Production refuses to start half configured, and never starts with the demo installed."""

import json
import os
import subprocess
import sys

import pytest

from demo.stack import CHECKOUT

MADE_UP = subprocess.run(
    [sys.executable, ".ci/production_environment.py"], cwd=CHECKOUT, capture_output=True, text=True, check=True
)
COMPLETE = dict(line.split("=", 1) for line in MADE_UP.stdout.split())


# Loads the site as gunicorn does, once for all web processes.
LOAD_THE_SITE = """
import threading
import config.wsgi
from django.db import connections
import psutil

print(threading.active_count(), psutil.Process().net_connections(), [one.connection for one in connections.all()])
"""
INSTALLED = "import django; from django.conf import settings; django.setup(); print(*settings.INSTALLED_APPS)"


def start(code=INSTALLED, **changes):
    """Load the settings in a process of its own. An empty variable counts as missing, and hides one in a .env file."""
    environment = COMPLETE | {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"} | changes
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_when_everything_is_set_and_the_demo_is_not_part_of_it():
    started = start()
    assert started.returncode == 0, started.stderr
    assert "demo" not in started.stdout.split()


def test_djstripe_calls_stripe_itself_in_production():
    started = start(code="import django; django.setup(); import djstripe.models, stripe; print(stripe.api_base)")
    assert started.stdout.strip() == "https://api.stripe.com", started.stderr


def test_loading_the_site_opens_no_connection_and_starts_no_thread_which_a_fork_would_break():
    started = start(code=LOAD_THE_SITE)
    assert started.stdout == "1 [] [None]\n", started.stderr


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set"),
        ({"BASE_URL": ""}, "BASE_URL must be set"),
        ({"BASE_URL": "http://lectern.example"}, "must start with https://"),
        ({"DATABASE_URL": ""}, "DATABASE_URL must be set"),
        ({"REDIS_URL": ""}, "REDIS_URL must be set"),
        ({"DEBUG": "1"}, "DEBUG must be off"),
        ({"STRIPE_SECRET_KEY": ""}, "the sandbox is for development only"),
        ({"PAYMENTS_MODE": "live"}, "says 'live'"),
        ({"PAYMENTS_MODE": ""}, "PAYMENTS_MODE says"),
        ({"STRIPE_WEBHOOK_SECRETS": ""}, "STRIPE_WEBHOOK_SECRETS must be set"),
        ({"WEBHOOK_EVENT_DAYS": "30"}, "WEBHOOK_EVENT_DAYS must be a whole number from 31"),
        ({"EMAIL_URL": ""}, "EMAIL_URL must be set"),
        ({"LECTERN_ENV": "staging"}, "LECTERN_ENV must be one of development, production"),
    ],
)
def test_production_refuses_to_start(changes, complaint):
    started = start(**changes)
    assert started.returncode != 0
    assert complaint in started.stderr


DELIVER = """
import django
django.setup()
from django.test import Client

for path in ("/payments/webhook/", "/payments/webhook", "/api/webhooks/stripe", "/api/webhooks/stripe/"):
    for host, is_secure in (("lectern.example", False), ("evil.example", True), ("lectern.example", True)):
        answer = Client(HTTP_HOST=host).post(path, b"{}", "application/json", secure=is_secure)
        print(answer.status_code, answer.json()["error"])
"""


def test_production_takes_webhooks_over_https_and_for_its_own_name_only():
    said = start(DELIVER)
    refusals = ["403 Webhooks are taken over HTTPS only.", "400 Unknown host.", "400 Invalid signature"]
    assert said.stdout.splitlines() == refusals * 4, said.stderr
    # Each refusal is a separate line, with the id of its own request.
    lines = [json.loads(line) for line in said.stderr.splitlines()]
    ids = [line["request_id"] for line in lines if line["logger"] == "payments.webhook.endpoint"]
    assert len(ids) == len(set(ids)) == 12


def test_the_demo_cannot_be_installed_in_production():
    code = "import django; from django.conf import settings; settings.INSTALLED_APPS.append('demo'); django.setup()"
    started = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=COMPLETE | {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LECTERN_ENV=development only" in started.stderr
