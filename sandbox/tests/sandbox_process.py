"""A real sandbox in its own process, and a server that receives its webhooks."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import stripe

from sandbox.tests.recorded import problems_in

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_test_testsOfTheSandbox0000000"
WEBHOOK_SECRET = "whsec_testsOfTheSandbox"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(**changes: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "STRIPE_", "DJANGO_"))
    }
    # Tests advance the clock by three seconds for delayed steps, which must not run before, however slow the machine.
    return kept | {"SANDBOX_SECRET_KEY": KEY, "SANDBOX_SETTLE_DELAY": "1.9", "SANDBOX_ASYNC_DELAY": "2.9"} | changes


class SandboxProcess:
    """One sandbox process: start it, stop it, and call it."""

    def __init__(self, directory: Path, **changes: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.record = directory / "record.jsonl"
        self.database = directory / "sandbox.sqlite3"
        own = {"PORT": str(self.port), "DATABASE": str(self.database), "LOG_FILE": str(self.record)}
        self.environment = environment(**{f"SANDBOX_{name}": value for name, value in own.items()} | changes)
        self.http = requests.Session()
        self.http.auth = (KEY, "")
        self.client = stripe.StripeClient(KEY, base_addresses={"api": self.url}, max_network_retries=0)
        self.log = directory / "log.txt"
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/_sandbox/health", timeout=1).ok:
                    return
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """Kill it like a crash: no handler runs, nothing is flushed."""
        self.process.kill()
        self.process.wait(timeout=10)

    def close(self) -> None:
        """Stop it. Fails if any of its responses or events does not match Stripe's published types."""
        self.http.close()
        if self.process.poll() is None:
            # Like Ctrl-C, which skips the two seconds of waiting for requests; none are in progress.
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
        found = problems_in(self.record)
        assert not found, f"{len(found)} breaches of Stripe's published types:\n" + "\n".join(found[:60])

    def post(self, path: str, **form: str) -> requests.Response:
        return self.http.post(self.url + path, data=form, timeout=30, allow_redirects=False)

    def get(self, path: str, **query: str) -> requests.Response:
        return self.http.get(self.url + path, params=query, timeout=30, allow_redirects=False)

    def switch(self, name: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/_sandbox/{name}", json=body, timeout=60)
        assert answer.ok, answer.text
        return dict(answer.json())

    def drain(self) -> None:
        assert self.switch("drain", timeout=30) == {"drained": True}

    def advance(self, seconds: float) -> None:
        self.switch("clock", advance=seconds)
        self.drain()

    def session(self, *, currency: str = "usd", amount: int = 2000, **changes: Any) -> stripe.checkout.Session:
        price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Watercolour & ink"}}
        parameters: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": "http://shop.example/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://shop.example/cart",
        }
        return self.client.v1.checkout.sessions.create(params=parameters | changes)

    def pay(self, session: stripe.checkout.Session, method: str = "pm_card_visa") -> requests.Response:
        return self.post(f"/v1/payment_pages/{session.id}/confirm", payment_method=method)

    def intent_of(self, session: stripe.checkout.Session) -> stripe.PaymentIntent:
        again = self.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        return again.payment_intent

    def event_types(self) -> list[str]:
        """The types of all events, oldest first, without stripe-python, whose objects take a tenth of a second."""
        return [event["type"] for event in self.get("/v1/events", limit="100").json()["data"]][::-1]


class Receiver:
    """An endpoint that receives webhooks; it responds with the statuses in `answers`, then with 200."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, Any], bytes, str]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signature = self.headers["Stripe-Signature"]
                receiver.received.append((json.loads(body), body, signature))
                status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def types(self) -> list[str]:
        return [event["type"] for event, _, _ in self.received]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
