"""How fast the sandbox answers with ten thousand objects of each kind in it, and what a crowd and a crash leave."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.intervals import percentile
from demo.stack import CHECKOUT
from sandbox.tests.crowds import kill_while_writing, pay_at_once, what_is_wrong_after_a_crash
from sandbox.tests.sandbox_process import KEY, WEBHOOK_SECRET, Receiver, SandboxProcess
from sandbox.tests.triggers import pull

OBJECTS_OF_EACH_KIND = 10_000
CALLS = 200
WARM_UP = 5
BUYERS = 200
CRASHES = 3
SLOWEST = 0.025
# Which sequences leave at least one object of each kind behind.
MAKING = (
    "checkout.session.completed", "charge.dispute.created", "charge.refunded", "setup_intent.succeeded", "invoice.paid",
    "customer.subscription.created", "promotion_code.created", "payout.created", "transfer.reversed",
    "radar.early_fraud_warning.created",
)  # fmt: skip
DOLLARS = {"amount": "2000", "currency": "usd"}
FUNDS = {
    "amount": "5000000",
    "currency": "usd",
    "confirm": "true",
    "capture_method": "automatic",
    "payment_method": "pm_card_bypassPending",
    "payment_method_types[]": "card",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: where it lives, and what makes a new one (nothing for those that come by themselves).

    `{customer}`, `{price}` … in a form or query are ids of that kind. `query` is what its list cannot do without.
    """

    name: str
    path: str
    form: Mapping[str, str] | None = None
    query: str = ""


KINDS = (
    Kind("customer", "customers", {"name": "Ada", "email": "ada@example.org", "metadata[order]": "7"}),
    Kind("product", "products", {"name": "A place"}),
    Kind("price", "prices", {"currency": "usd", "unit_amount": "2000", "product": "{product}"}),
    Kind("coupon", "coupons", {"percent_off": "25", "duration": "once"}),
    Kind("promotion_code", "promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "{coupon}"}),
    Kind("tax_rate", "tax_rates", {"display_name": "VAT", "percentage": "20", "inclusive": "false"}),
    Kind("payment_method", "payment_methods", {"type": "card", "card[token]": "tok_visa"}, "customer={payer}"),
    Kind("payment_intent", "payment_intents", DOLLARS | {"confirm": "true", "payment_method": "pm_card_visa",
                                                         "payment_method_types[]": "card"}),
    Kind("charge", "charges", DOLLARS | {"source": "tok_visa"}),
    Kind("refund", "refunds", {"charge": "{charge}", "amount": "1"}),
    Kind("dispute", "disputes"),
    Kind("setup_intent", "setup_intents", {"confirm": "true", "payment_method": "pm_card_visa",
                                           "payment_method_types[]": "card"}),
    Kind("checkout.session", "checkout/sessions", {
        "mode": "payment", "line_items[0][price]": "{price}", "line_items[0][quantity]": "1",
        "success_url": "http://shop.example/done"}),
    Kind("invoiceitem", "invoiceitems", {"customer": "{customer}"} | DOLLARS),
    Kind("invoice", "invoices", {"customer": "{customer}"}),
    Kind("subscription", "subscriptions", {"customer": "{payer}", "items[0][price]": "{monthly}"}),
    Kind("balance_transaction", "balance_transactions"),
    Kind("event", "events"),
    Kind("account", "accounts", {"type": "express", "country": "US"}),
    Kind("transfer", "transfers", {"amount": "1", "currency": "usd", "destination": "{account}"}),
    Kind("payout", "payouts", {"amount": "1", "currency": "usd"}),
)  # fmt: skip


class UnexpectedAnswer(Exception):
    """The sandbox did not answer with success."""


class Caller:
    """One kept-alive connection that notes how long each call took."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        key = b64encode(f"{KEY}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {key}", "Content-Type": "application/x-www-form-urlencoded"}

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[Any, float]:
        """The answer and the seconds it took. Raises UnexpectedAnswer for anything but 200."""
        began_at = time.perf_counter()
        self._connection.request(method, f"/v1/{path}", urlencode(form or {}) or None, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - began_at
        if answer.status != http.HTTPStatus.OK:
            raise UnexpectedAnswer(f"{method} {path}: {text.decode()[:500]}")
        return json.loads(text), seconds


def measure(folder: Path, say: Any) -> bool:
    """Print all percentiles, then try a crowd and crashes; False if a target was missed or anything was lost."""
    is_fast = _measure_answers(folder / "full", say)
    return all((is_fast, _try_crowd(folder / "crowd", say), _try_crashes(folder / "crash", say)))


def _measure_answers(folder: Path, say: Any) -> bool:
    folder.mkdir()
    with _running(folder) as sandbox:
        funds, _ = Caller(sandbox.port).ask("POST", "payment_intents", FUNDS)
        for name in MAKING:
            pull(sandbox, name)
        named = {"charge": funds["latest_charge"], **_named_objects(Caller(sandbox.port))}
        for kind in KINDS:
            if kind.form is not None:
                Caller(sandbox.port).ask("POST", kind.path, _filled_in(kind.form, named))
        sandbox.stop()
        say(f"{OBJECTS_OF_EACH_KIND} objects of each kind: {_filled(sandbox)}")
        sandbox.start()
        caller = Caller(sandbox.port)
        slowest = []
        for kind in KINDS:
            slowest += _measure_kind(caller, kind, named, say)
    say(f"slowest p99: {max(slowest) * 1000:.1f} ms   target: at most {SLOWEST * 1000:.0f} ms")
    return max(slowest) <= SLOWEST


@contextmanager
def _running(folder: Path, **changes: str) -> Iterator[SandboxProcess]:
    # As somebody would run it: delays as they are, and no record of every answer.
    sandbox = SandboxProcess(folder, SANDBOX_LOG_FILE="", SANDBOX_LOG_DELIVERIES="0", **changes)
    try:
        yield sandbox
    finally:
        sandbox.close()


def _filled(sandbox: SandboxProcess) -> str:
    command = [sys.executable, "-m", "benchmarks.sandbox_filling", str(OBJECTS_OF_EACH_KIND)]
    done = subprocess.run(command, env=sandbox.environment, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    counts: dict[str, int] = json.loads(done.stdout)
    return f"{len(counts)} kinds, {sum(counts.values()):,} objects, {sandbox.database.stat().st_size / 1e6:,.0f} MB"


def _named_objects(caller: Caller) -> dict[str, str]:
    """What the forms speak of: a customer with a card, somebody who can be paid, things to buy."""
    named = {}
    for name, path in (("product", "products"), ("coupon", "coupons"), ("account", "accounts")):
        named[name] = caller.ask("GET", path)[0]["data"][0]["id"]
    prices = caller.ask("GET", "prices?limit=100&active=true")[0]["data"]
    named["price"] = next(price["id"] for price in prices if price["type"] == "one_time")
    named["monthly"] = next(price["id"] for price in prices if price["type"] == "recurring")
    customers = caller.ask("GET", "customers?limit=100")[0]["data"]
    named["payer"] = next(one["id"] for one in customers if one["invoice_settings"]["default_payment_method"])
    named["customer"] = caller.ask("POST", "customers", {"name": "Ada", "email": "ada@example.org"})[0]["id"]
    return named


def _measure_kind(caller: Caller, kind: Kind, named: Mapping[str, str], say: Any) -> list[float]:
    """The p99 of listing, retrieving and creating a kind, in seconds; all percentiles are printed."""
    listed = f"{kind.path}?{kind.query.format(**named)}"
    page, _ = caller.ask("GET", f"{listed}&limit=100")
    ids = [one["id"] for one in page["data"]]
    taken = {
        "list": [caller.ask("GET", listed)[1] for _ in range(CALLS)],
        "retrieve": [caller.ask("GET", f"{kind.path}/{ids[n % len(ids)]}")[1] for n in range(CALLS)],
    }
    if kind.form is not None:
        form = _filled_in(kind.form, named)
        for _ in range(WARM_UP):
            caller.ask("POST", kind.path, form)
        taken["create"] = [caller.ask("POST", kind.path, form)[1] for _ in range(CALLS)]
    say(f"{kind.name:20}" + "   ".join(f"{what} {_percentiles(latencies)}" for what, latencies in taken.items()))
    return [percentile(latencies, 0.99) for latencies in taken.values()]


def _filled_in(form: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    return {name: value.format(**named) for name, value in form.items()}


def _percentiles(latencies: Sequence[float]) -> str:
    return "/".join(f"{percentile(latencies, share) * 1000:.1f}" for share in (0.5, 0.9, 0.99)) + " ms"


def _try_crowd(folder: Path, say: Any) -> bool:
    folder.mkdir()
    receiver = Receiver()
    try:
        address = {"SANDBOX_WEBHOOK_URL": receiver.url, "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET}
        with _running(folder, **address) as sandbox:
            rush = pay_at_once(sandbox, receiver, BUYERS)
    finally:
        receiver.close()
    say(f"{BUYERS} checkouts at once: {_percentiles(rush.latencies)}, {len(receiver.received)} deliveries")
    for problem in rush.problems:
        say(f"LOST: {problem}")
    return not rush.problems


def _try_crashes(folder: Path, say: Any) -> bool:
    folder.mkdir()
    problems: list[str] = []
    with _running(folder) as sandbox:
        for _ in range(CRASHES):
            sandbox.switch("reset")
            work = kill_while_writing(sandbox)
            problems += what_is_wrong_after_a_crash(sandbox, work)
            say(f"killed after {len(work.asked)} payments; lost or twice: {len(problems)}")
    for problem in problems:
        say(f"LOST: {problem}")
    return not problems
