"""Accounts v2, which the sandbox does not have: what is sent to Stripe, and how its published answers are read."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from accounts.tests.factories import TeacherFactory
from payments.models import ConnectedAccount
from payments.payouts.accounts import refresh_account, start_onboarding
from payments.payouts.requests import current_account
from payments.tests.conftest import forget_stripe

pytestmark = pytest.mark.django_db

URLS = {"return_url": "https://site.example/return", "refresh_url": "https://site.example/renew"}


def entry(description, *, awaiting="user", deadline="currently_due"):
    return {
        "awaiting_action_from": awaiting,
        "description": description,
        "errors": [],
        "minimum_deadline": {"status": deadline},
        "requested_reasons": [{"code": "routine_onboarding"}],
    }


def account(*, transfers="restricted", payouts="restricted", entries=(), closed=False):
    """An account as in Stripe's reference (docs: "The Account object", v2)."""
    details = [{"code": "requirements_past_due", "resolution": "provide_info"}]
    capabilities = {
        "stripe_transfers": {"status": transfers, "status_details": [] if transfers == "active" else details},
        "payouts": {"status": payouts, "status_details": []},
    }
    return {
        "id": "acct_1V2",
        "object": "v2.core.account",
        "applied_configurations": ["recipient"],
        "closed": closed,
        "configuration": {"recipient": {"applied": True, "capabilities": {"stripe_balance": capabilities}}},
        "created": "2026-11-30T10:00:00.000Z",
        "dashboard": "express",
        "identity": {"country": "gb"},
        "livemode": False,
        "requirements": {"entries": list(entries)},
    }


@pytest.fixture
def stripe_v2(settings):
    """A server in Stripe's place that keeps what it is asked and answers with `answers`, by path."""
    asked, answers = [], {}

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            asked.append((self.command, self.path, body, self.headers.get("Idempotency-Key")))
            status, answer = answers.get(self.path.partition("?")[0], (404, {}))
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815  # the base class names them

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{server.server_port}"
    settings.STRIPE_CONNECT_ACCOUNTS = "v2"
    forget_stripe()
    yield asked, answers
    server.shutdown()
    server.server_close()
    forget_stripe()


def test_a_recipient_is_created_and_onboarded_for_transfers(stripe_v2):
    asked, answers = stripe_v2
    answers["/v2/core/accounts"] = (200, account())
    link = {"object": "v2.core.account_link", "url": "https://connect.stripe.com/setup/1"}
    answers["/v2/core/account_links"] = (200, link)
    teacher = TeacherFactory()
    address = start_onboarding(teacher, country="GB", **URLS)
    assert address == "https://connect.stripe.com/setup/1"
    (_, _, created, key), (_, _, linked, _) = asked
    assert key.startswith("account-")
    assert created["contact_email"] == teacher.user.email
    assert (created["dashboard"], created["identity"]) == ("express", {"country": "GB"})
    assert created["defaults"] == {
        "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
    }
    capabilities = {"stripe_balance": {"stripe_transfers": {"requested": True}}}
    assert created["configuration"] == {"recipient": {"capabilities": capabilities}}
    assert linked == {
        "account": "acct_1V2",
        "use_case": {
            "type": "account_onboarding",
            "account_onboarding": {"configurations": ["recipient"], **URLS},
        },
    }
    stored = current_account(teacher.pk)
    assert (stored.api, stored.stripe_account_id, stored.country, stored.can_be_paid) == ("v2", "acct_1V2", "GB", False)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (account(entries=[entry("identity.individual.dob")]), "incomplete"),
        (account(transfers="pending", payouts="pending", entries=[entry("x", awaiting="stripe")]), "checking"),
        (account(transfers="active", payouts="restricted"), "checking"),
        (account(transfers="active", payouts="active", entries=[entry("x", deadline="eventually_due")]), "ready"),
        (account(closed=True), "closed"),
    ],
)
def test_its_state_is_read_from_its_recipient_configuration(stripe_v2, settings, answer, state):
    asked, answers = stripe_v2
    answers["/v2/core/accounts/acct_1V2"] = (200, answer)
    stored = ConnectedAccount.objects.create(teacher=TeacherFactory(), stripe_account_id="acct_1V2", api="v2")
    # An account keeps its kind, whatever new ones are.
    settings.STRIPE_CONNECT_ACCOUNTS = "v1"
    stored = refresh_account(stored)
    assert (stored.state, stored.can_be_paid) == (state, state == "ready")
    [(method, path, _, _)] = asked
    assert method == "GET"
    assert "configuration.recipient" in path
    assert "requirements" in path
