"""Many concurrent payments, and a crash during writes, with checks; used by tests and by the benchmark."""

import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.tests.sandbox_process import KEY, Receiver, SandboxProcess

PRICE = {
    "mode": "payment",
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][unit_amount]": "2000",
    "line_items[0][price_data][product_data][name]": "A place",
    "line_items[0][quantity]": "1",
    "success_url": "http://shop.example/done",
}
NET = 2000 - 88
OF_A_CHECKOUT = ("payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
                 "checkout.session.completed", "charge.updated")  # fmt: skip


@dataclass
class Rush:
    """The results of many concurrent checkouts; latencies in seconds."""

    latencies: list[float]
    problems: list[str]


def pay_at_once(sandbox: SandboxProcess, receiver: Receiver, buyers: int) -> Rush:
    """Pay one session per buyer, all at the same time, and check the results afterwards."""
    sessions = [sandbox.post("/v1/checkout/sessions", **PRICE).json()["id"] for _ in range(buyers)]
    ready = threading.Barrier(buyers)

    def pay(session: str) -> tuple[int, float]:
        http = requests.Session()
        http.auth = (KEY, "")
        url = f"{sandbox.url}/v1/payment_pages/{session}/confirm"
        http.get(f"{sandbox.url}/_sandbox/health", timeout=60)
        ready.wait(timeout=60)
        began_at = time.perf_counter()
        answer = http.post(url, data={"payment_method": "pm_card_bypassPending"}, timeout=120)
        http.close()
        return answer.status_code, time.perf_counter() - began_at

    with ThreadPoolExecutor(buyers) as pool:
        answers = list(pool.map(pay, sessions))
    sandbox.advance(5)
    statuses = Counter(status for status, _ in answers)
    problems = [] if statuses == {200: buyers} else [f"answers {statuses}"]
    problems += _lost(sandbox, receiver, sessions)
    return Rush([seconds for _, seconds in answers], problems)


def _lost(sandbox: SandboxProcess, receiver: Receiver, sessions: list[str]) -> list[str]:
    delivered = Counter(event["type"] for event in {event["id"]: event for event, _, _ in receiver.received}.values())
    problems = [
        f"{delivered[name]} {name} delivered of {len(sessions)}"
        for name in OF_A_CHECKOUT
        if delivered[name] != len(sessions)
    ]
    completed = {
        event["data"]["object"]["id"] for event, _, _ in receiver.received if event["type"] == OF_A_CHECKOUT[3]
    }
    problems += [f"{session} has no completed event" for session in sessions if session not in completed]
    available = sandbox.get("/v1/balance").json()["available"]
    if available[0]["amount"] != NET * len(sessions):
        problems.append(f"the balance is {available} and not {NET * len(sessions)}")
    return problems


@dataclass
class Work:
    """The requested and the acknowledged payments, by idempotency key, until the process was killed."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    requested: set[str] = field(default_factory=set)


def kill_while_writing(sandbox: SandboxProcess, *, writers: int = 6, seconds: float = 1.0) -> Work:
    """Make payments over several connections, and kill the sandbox during the writes."""
    work, guard = Work(), threading.Lock()

    def write(writer: int) -> None:
        http = requests.Session()
        http.auth = (KEY, "")
        for number in range(100_000):
            key = f"{sandbox.process.pid}-{writer}-{number}"
            with guard:
                work.requested.add(key)
            try:
                answer = _payment(sandbox, http, key)
            except requests.RequestException:
                break
            with guard:
                work.acknowledged[key] = answer["id"]
        http.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    sandbox.kill()
    for thread in threads:
        thread.join()
    return work


def _payment(sandbox: SandboxProcess, http: requests.Session, key: str) -> dict[str, Any]:
    form = {"amount": "2000", "currency": "usd", "confirm": "true", "payment_method": "pm_card_bypassPending"}
    form |= {"capture_method": "automatic", "payment_method_types[]": "card", "metadata[key]": key}
    answer = http.post(f"{sandbox.url}/v1/payment_intents", data=form, headers={"Idempotency-Key": key}, timeout=30)
    answer.raise_for_status()
    return dict(answer.json())


def what_is_wrong_after_a_crash(sandbox: SandboxProcess, work: Work) -> list[str]:
    """Check the database before and after the restart, and that every payment was made exactly once."""
    connection = sqlite3.connect(sandbox.database)
    sound = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    problems = [] if sound == [("ok",)] else [f"integrity_check: {sound}"]
    sandbox.start()
    for key, intent in work.acknowledged.items():
        found = sandbox.get(f"/v1/payment_intents/{intent}").json()
        if found.get("status") != "succeeded" or found["metadata"]["key"] != key:
            problems.append(f"{intent} was acknowledged and is {found}")
    # Requests without a response are retried with the same key, as every Stripe client does.
    for key in work.requested - set(work.acknowledged):
        work.acknowledged[key] = _payment(sandbox, sandbox.http, key)["id"]
    problems += _sums_of(sandbox, work)
    return problems


def _sums_of(sandbox: SandboxProcess, work: Work) -> list[str]:
    sandbox.drain()
    connection = sqlite3.connect(sandbox.database)
    rows = "SELECT count(*) FROM sandbox_storedobject WHERE kind = ? AND status = ?"
    counts = {
        kind: connection.execute(rows, (kind, "succeeded")).fetchone()[0] for kind in ("payment_intent", "charge")
    }
    succeeded = (
        "SELECT count(*) FROM sandbox_storedobject WHERE kind = 'event' AND subtype = 'payment_intent.succeeded'"
    )
    counts["event"] = connection.execute(succeeded).fetchone()[0]
    connection.close()
    return [
        f"{count} {kind}s of {len(work.requested)}" for kind, count in counts.items() if count != len(work.requested)
    ]
