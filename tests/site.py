"""The running site for tests: its addresses, its database, the sandbox's switches, and processes to kill."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import psycopg
import redis
from psycopg.rows import dict_row

from demo.processes import Process
from demo.stack import Stack
from sandbox.options import read_options


class Site:
    """A stack of real processes with the demo's data."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.base_url = stack.base_url
        self.sandbox_url = stack.sandbox_url

    def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Query the site's own database; only committed rows, as the processes see them."""
        with psycopg.connect(self.stack.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def sandbox(self, switch: str, **body: Any) -> Any:
        """Set one of the sandbox's switches: `site.sandbox("faults", kind="hang", path="/v1/refunds*")`."""
        return self._ask_sandbox(f"_sandbox/{switch}", json.dumps(body).encode())

    def charges_of(self, payment_intent_id: str) -> list[dict[str, Any]]:
        """Return every charge the sandbox made for a payment intent."""
        answer = self._ask_sandbox(f"v1/charges?payment_intent={payment_intent_id}")
        charges: list[dict[str, Any]] = answer["data"]
        return charges

    def refund_at_stripe(self, payment_intent_id: str, amount_minor: int) -> Any:
        """Refund a part of a payment as a user of Stripe's Dashboard does, without the site knowing."""
        fields = urlencode({"payment_intent": payment_intent_id, "amount": amount_minor})
        return self._ask_sandbox("v1/refunds", fields.encode(), kind="application/x-www-form-urlencoded")

    def _ask_sandbox(self, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        key = read_options({}).secret_key
        request = urllib.request.Request(f"{self.sandbox_url}/{path}", data=body)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{key}:".encode()).decode())
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def wait_until(self, condition: Callable[[], Any], *, within: float = 20.0, what: str = "") -> Any:
        """Return the result of `condition` as soon as it is true; fail if that takes too long."""
        gives_up_at = time.monotonic() + within
        while not (result := condition()):
            assert time.monotonic() < gives_up_at, f"Waited {within:.0f} s in vain for {what or condition}"
            time.sleep(0.1)
        return result

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """Return the mails that were sent to an address, oldest first: subject, text_body, html_body and more."""
        return self.query(
            'SELECT * FROM notifications_mail WHERE lower("to") = lower(%s) AND sent_at IS NOT NULL ORDER BY id',
            address,
        )

    def manage(self, *arguments: str) -> str:
        """Run a management command against the site's database and return what it printed."""
        return "\n".join(self.stack.manage(*arguments))

    @property
    def processes(self) -> dict[str, Process]:
        """Every process by name: postgres, redis, sandbox, web, worker, stripe, background, beat."""
        return {process.name: process for process in [*self.stack.servers, *self.stack.site]}

    def kill(self, name: str) -> None:
        """End a process and its children with SIGKILL, as a crash would."""
        self.processes[name].kill()

    def start(self, name: str) -> None:
        """Start a killed or stopped process again at its old address, and wait until it is ready."""
        if name == "postgres":
            self.stack.postgres.start()
            return
        process = self.processes[name]
        process.start()
        process.wait_until_ready()

    def flush_redis(self) -> None:
        """Delete everything in Redis, as an operator might by mistake."""
        redis.Redis.from_url(self.stack.redis_url).flushall()

    def restore(self) -> None:
        """Start the processes that a test left dead, and reset the sandbox's switches."""
        for name, process in self.processes.items():
            if not process.is_running:
                self.start(name)
        self.sandbox("faults", clear=True)
        self.sandbox("deliveries", mode="normal")
