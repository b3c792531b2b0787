"""dj-stripe, set up as in its documentation, accepts every event and syncs the whole account without errors."""

import os
import subprocess
import sys
import time
import uuid
from urllib.parse import parse_qs, urlsplit, urlunsplit

import psycopg
import pytest
import requests

from sandbox.tests.connected import of
from sandbox.tests.sandbox_process import KEY, ROOT, WEBHOOK_SECRET, SandboxProcess, environment, free_port
from sandbox.tests.triggers import TRIGGERS, pull, waiting_time

pytestmark = pytest.mark.slow
UUID = "7d0ad7f9-2a2c-4a9a-9d3e-6f4c6d0c5b12"
SITE = "sandbox.tests.djstripe_site"
# The events that a shop with payments needs.
NEEDED = {
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "payment_intent.succeeded", "payment_intent.payment_failed",
    "payment_intent.canceled", "charge.refunded", "charge.updated", "refund.created", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated", "invoice.paid", "invoice.payment_failed", "customer.subscription.created",
    "customer.subscription.updated", "customer.subscription.deleted", "account.updated", "transfer.created",
    "transfer.updated", "transfer.reversed", "payout.created", "payout.paid", "payout.canceled",
}  # fmt: skip

# Failures inside dj-stripe 2.11 with stripe-python 15, with any server, and their totals.
DJSTRIPES_OWN = (
    # It stores an event's whole `request`, a dict, as the request's id.
    "Error syncing evt_",
    "Event object(s) failed to sync",
    # It calls a method of the client without a required argument.
    "Account.list_external_accounts() missing 1 required positional argument: 'account'",
    "Account object(s) failed to sync",
    "2 model/key sync(s) failed",
)


class Site:
    """The sandbox, and a separate process with dj-stripe that receives its webhooks."""

    def __init__(self, folder, database_url):
        port = free_port()
        self.sandbox = SandboxProcess(
            folder,
            SANDBOX_WEBHOOK_URL=f"http://127.0.0.1:{port}/stripe/webhook/{UUID}/",
            SANDBOX_WEBHOOK_SECRET=WEBHOOK_SECRET,
            # In order and without retries, so that every event that dj-stripe refuses is found.
            SANDBOX_ENDPOINT_CONCURRENCY="1",
            SANDBOX_RETRY_DELAYS="none",
        )
        self.environment = environment(
            DJANGO_SETTINGS_MODULE=f"{SITE}.settings",
            SITE_DATABASE_URL=database_url,
            SITE_DATABASE_HOST=parse_qs(urlsplit(database_url).query).get("host", [""])[0],
            SITE_STRIPE_KEY=KEY,
            SITE_SANDBOX_URL=self.sandbox.url,
            SITE_WEBHOOK_SECRET=WEBHOOK_SECRET,
            SITE_WEBHOOK_UUID=UUID,
        )
        self.run("preparing")
        command = ["gunicorn", f"{SITE}.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--timeout", "120"]
        self.log = (folder / "site.txt").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )
        self._wait_for(f"http://127.0.0.1:{port}/")

    def run(self, module):
        """Run a module of the site; fails on an exit status other than 0."""
        arguments = [sys.executable, "-W", "ignore", "-m", f"{SITE}.{module}"]
        done = subprocess.run(arguments, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-8000:]
        return done

    def _wait_for(self, url):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                requests.get(url, timeout=5)
            except requests.ConnectionError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("dj-stripe's site does not answer")

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()
        self.sandbox.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    name = f"djstripe_{uuid.uuid4().hex[:12]}"
    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    site = Site(tmp_path_factory.mktemp("djstripe"), urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
    for trigger in sorted(TRIGGERS, key=waiting_time):
        pull(site.sandbox, trigger)
    yield site
    site.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_djstripe_accepts_every_event(site):
    v1 = site.sandbox.client.v1
    accounts = [None, *v1.accounts.list({"limit": 100}).auto_paging_iter()]
    emitted, refused = set(), {}
    for account in accounts:
        options = of(account) if account else None
        emitted |= {event.type for event in v1.events.list({"limit": 100}, options).auto_paging_iter()}
        for event in v1.events.list({"limit": 100, "delivery_success": False}, options).auto_paging_iter():
            refused[event.type] = site.sandbox.get("/_sandbox/deliveries", event=event.id).json()["deliveries"][0]
    assert not refused
    assert emitted >= NEEDED


def test_djstripe_syncs_the_whole_account(site):
    done = site.run("syncing")
    unexpected = [line for line in done.stderr.splitlines() if not any(known in line for known in DJSTRIPES_OWN)]
    assert not unexpected, "\n".join(unexpected[:40])
    for model in ("Account", "Charge", "Customer", "Dispute", "Invoice", "PaymentIntent", "Payout", "Refund", "Session",
                  "Subscription", "Transfer", "BalanceTransaction", "Coupon", "Price", "Product"):  # fmt: skip
        assert f" {model} for " in done.stdout, done.stdout[-4000:]
