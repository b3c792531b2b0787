"""The real sandbox, as its own process, for tests that talk to Stripe."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings

CHECKOUT = Path(__file__).resolve().parents[2]


class StripeSandbox:
    """One sandbox process, the actions of students on its pages, and the switches for its faults."""

    # The sandbox's platform, unless `SANDBOX_ACCOUNT_ID` among the options names another.
    ACCOUNT_ID = "acct_1SandboxLectern00"

    def __init__(self, folder, **options):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        environment |= {
            "SANDBOX_PORT": str(port),
            "SANDBOX_DATABASE": str(folder / "sandbox.sqlite3"),
            "SANDBOX_SETTLE_DELAY": "0.1",
            "SANDBOX_ASYNC_DELAY": "0.1",
            "SANDBOX_API_VERSION": settings.STRIPE_API_VERSION,
            **options,
        }
        self.log = (folder / "sandbox.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox"],
            cwd=CHECKOUT,
            env=environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # a process group, so that it can be frozen with its children
        )
        self.http = requests.Session()
        self.http.auth = (settings.STRIPE_SECRET_KEY, "")
        self._wait()

    def _wait(self):
        ends_at = time.monotonic() + 30
        while time.monotonic() < ends_at:
            try:
                urllib.request.urlopen(f"{self.url}/_sandbox/health", timeout=1).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the sandbox did not start")

    def stop(self):
        self.http.close()
        self.process.terminate()
        self.process.wait(timeout=15)
        self.log.close()

    @contextmanager
    def frozen(self):
        """Stop the process without ending it: its port accepts connections, but nothing answers."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def switch(self, name, **body):
        answer = self.http.post(f"{self.url}/_sandbox/{name}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def calm(self):
        """Reset it: no objects and events of earlier tests, no faults, the current time."""
        self.switch("reset")
        self.switch("faults", clear=True)
        self.switch("clock", reset=True)

    def fault(self, kind, *, path, method="POST", count=1, seconds=0):
        self.switch("faults", kind=kind, method=method, path=path, count=count, seconds=seconds)

    def pay(self, session_id, method="pm_card_visa"):
        return self.http.post(
            f"{self.url}/v1/payment_pages/{session_id}/confirm", data={"payment_method": method}, timeout=30
        )

    def get(self, path, **query):
        return self.http.get(f"{self.url}/v1/{path}", params=query, timeout=30).json()

    def sessions_of(self, payment_reference):
        sessions = self.get("checkout/sessions", limit=100)["data"]
        return [session for session in sessions if session["client_reference_id"] == str(payment_reference)]

    def intent_of(self, payment):
        return self.get(f"checkout/sessions/{payment.stripe_session_id}")["payment_intent"]
