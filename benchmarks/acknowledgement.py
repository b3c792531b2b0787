"""How fast webhooks are answered by a bare program, by Lectern and by dj-stripe's own view, measured in turns."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import requests

from benchmarks.intervals import median_with_interval, percentile
from benchmarks.load import Delivery, Outcome, send
from benchmarks.targets import report_seconds
from demo.processes import Command, Process, answers_http, free_port, stop_all
from demo.servers import PostgresServer
from demo.stack import CHECKOUT, Stack

SECRET = "whsec_sandbox0000000000000000000000000"  # noqa: S105  # the sandbox's published secret
KEY = "sk_test_sandbox00000000000000000"
ENDPOINT_UUID = "7d0ad7f9-2a2c-4a9a-9d3e-6f4c6d0c5b11"
ROUNDS = 15
EVENTS_PER_ROUND = {"bare": 300, "lectern": 300, "dj-stripe": 24}
CONNECTIONS = 4
CROWD = 100
LEAST_SHARE_OF_BARE = 0.6
LEAST_TIMES_DJSTRIPE = 10.0
SLOWEST_AT_100 = 0.150


@dataclass(frozen=True, slots=True)
class Arm:
    """A program being measured: where it listens, where its rows are, and how they are counted."""

    name: str
    url: str
    process: Process
    database: str
    count_sql: str

    def rows(self) -> int:
        with psycopg.connect(self.database) as connection:
            row = connection.execute(self.count_sql).fetchone()
        return int(row[0]) if row else 0


def measure(folder: Path, say: Any) -> bool:
    """Run all rounds and print the ratios; False if a ratio was missed or an event was lost."""
    with _arms(folder, say) as (arms, template):
        say("warming up")
        for arm in arms:
            send(arm.url, _deliveries(template, 2 * CONNECTIONS), connections=CONNECTIONS)
        before = {arm.name: arm.rows() for arm in arms}
        outcomes: dict[str, list[Outcome]] = {arm.name: [] for arm in arms}
        for number in range(ROUNDS):
            bodies = _deliveries(template, max(EVENTS_PER_ROUND.values()))
            for arm in arms[number % len(arms) :] + arms[: number % len(arms)]:
                share = bodies[: EVENTS_PER_ROUND[arm.name]]
                outcomes[arm.name].append(send(arm.url, share, connections=CONNECTIONS))
            say(f"round {number + 1} of {ROUNDS}: " + ", ".join(f"{n} {o[-1].rate:.0f}/s" for n, o in outcomes.items()))
        is_complete = _rows_are_complete(arms, before, say)
        is_fast = _print_ratios(outcomes, say)
        _print_crowd(arms, template, say)
        return is_fast and is_complete


def _rows_are_complete(arms: list[Arm], before: Mapping[str, int], say: Any) -> bool:
    is_complete = True
    for arm in arms:
        expected = ROUNDS * EVENTS_PER_ROUND[arm.name]
        stored = arm.rows() - before[arm.name]
        say(f"{arm.name}: {stored} rows of {expected} events")
        is_complete &= stored == expected
    return is_complete


def _print_ratios(outcomes: Mapping[str, list[Outcome]], say: Any) -> bool:
    rates = {name: [outcome.rate for outcome in rounds] for name, rounds in outcomes.items()}
    to_bare = median_with_interval([mine / bare for mine, bare in zip(rates["lectern"], rates["bare"], strict=True)])
    to_djstripe = median_with_interval(
        [mine / theirs for mine, theirs in zip(rates["lectern"], rates["dj-stripe"], strict=True)]
    )
    say(f"lectern / bare      {to_bare}   target: at least {LEAST_SHARE_OF_BARE}")
    say(f"lectern / dj-stripe {to_djstripe}   target: at least {LEAST_TIMES_DJSTRIPE}")
    return to_bare.value >= LEAST_SHARE_OF_BARE and to_djstripe.value >= LEAST_TIMES_DJSTRIPE


def _print_crowd(arms: list[Arm], template: Mapping[str, Any], say: Any) -> None:
    """Print the p99 over 100 connections at once: Lectern's against its target, beside the bare program's."""
    slowest = {}
    for arm in arms[:2]:
        latencies: list[float] = []
        for _ in range(5):
            latencies += send(arm.url, _deliveries(template, 5 * CROWD), connections=CROWD).latencies
        slowest[arm.name] = percentile(latencies, 0.99)
        shares = ", ".join(f"p{share:.0%} {percentile(latencies, share) * 1000:.0f} ms" for share in (0.5, 0.9, 0.99))
        say(f"{arm.name} at {CROWD} connections: {shares}".replace("%", ""))
    say(f"target: p99 at most {SLOWEST_AT_100 * 1000:.0f} ms on a machine of its own")
    report_seconds(slowest["lectern"], at_most=SLOWEST_AT_100, say=say)


@contextmanager
def _arms(folder: Path, say: Any) -> Iterator[tuple[list[Arm], Mapping[str, Any]]]:
    """Start the servers and the three programs, and get a real event from the sandbox to send copies of."""
    log = (folder / "benchmark.log").open("w", buffering=1)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY"):
        environment.pop(name, None)
    stack = Stack(folder=folder, environment=environment, sink=lambda name, line: _write(log, name, line))
    arms: list[Arm] = []
    try:
        for line in stack.start_servers():
            say(line)
        postgres = stack.postgres
        if postgres is None:
            raise RuntimeError("the benchmark brings its own PostgreSQL")
        for line in _prepare_databases(stack, postgres):
            say(line)
        stack.sandbox.start()
        stack.sandbox.wait_until_ready()
        template = _event_of_a_payment(stack.sandbox_url)
        arms = _start_arms(stack, postgres, log)
        yield arms, template
    finally:
        stop_all([arm.process for arm in arms])
        stack.stop()
        log.close()


def _start_arms(stack: Stack, postgres: PostgresServer, log: Any) -> list[Arm]:
    def arm(name: str, wsgi: str, path: str, database: str, count_sql: str) -> Arm:
        port = free_port()
        url = postgres.url(database)
        extra = {
            "BENCH_DATABASE_URL": url.replace("postgres://", "postgresql://"),
            "BENCH_WEBHOOK_SECRET": SECRET,
            "BENCH_SANDBOX_URL": stack.sandbox_url,
        }
        options = ["-c", "config/gunicorn.py", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
        options += ["--max-requests", "0"]
        process = Process(
            Command(
                name=name,
                arguments=[sys.executable, "-m", "gunicorn", *options, wsgi],
                environment=lambda: {**stack.environment(), **extra},
                folder=CHECKOUT,
                is_ready=answers_http(f"http://127.0.0.1:{port}/nothing-here"),
            ),
            lambda name, line: _write(log, name, line),
        )
        process.start()
        process.wait_until_ready()
        return Arm(name, f"http://127.0.0.1:{port}{path}", process, extra["BENCH_DATABASE_URL"], count_sql)

    return [
        arm("bare", "benchmarks.bare", "/", "bench_bare", "SELECT count(*) FROM bare_event"),
        arm(
            "lectern",
            "config.wsgi",
            "/payments/webhook/",
            "lectern",
            "SELECT count(*) FROM payments_webhookevent",
        ),
        arm(
            "dj-stripe",
            "benchmarks.djstripe_site",
            f"/stripe/webhook/{ENDPOINT_UUID}/",
            "bench_djstripe",
            "SELECT count(*) FROM djstripe_event",
        ),
    ]


def _prepare_databases(stack: Stack, postgres: PostgresServer) -> Iterator[str]:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        for name in ("lectern", "bench_bare", "bench_djstripe"):
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(postgres.url("bench_bare"), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bare_event (id bigserial PRIMARY KEY, stripe_id text UNIQUE, type text, payload jsonb)"
        )
    yield "migrating Lectern"
    yield from stack.manage("migrate", "--verbosity", "0")
    yield "migrating dj-stripe's own site, the long way"
    environment = {
        **stack.environment(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.djstripe_settings",
        "BENCH_DATABASE_URL": postgres.url("bench_djstripe"),
        "BENCH_SANDBOX_URL": stack.sandbox_url,
    }
    endpoint = (
        "from djstripe.models import WebhookEndpoint as W; "
        f"W.objects.create(id='we_bench', secret='{SECRET}', livemode=False, url='http://127.0.0.1/', "
        f"enabled_events=['*'], djstripe_uuid='{ENDPOINT_UUID}')"
    )
    for command in (["migrate", "--verbosity", "0"], ["shell", "--verbosity", "0", "-c", endpoint]):
        arguments = [sys.executable, "-W", "ignore", "-m", "django", *command]
        subprocess.run(arguments, env=environment, cwd=CHECKOUT, check=True)  # noqa: S603  # our own command


def _event_of_a_payment(sandbox_url: str) -> Mapping[str, Any]:
    """A charge.succeeded event whose objects exist in the sandbox, so that dj-stripe can read them back."""
    session = requests.Session()
    session.auth = (KEY, "")
    answer = session.post(
        f"{sandbox_url}/v1/payment_intents",
        data={
            "amount": 2500,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "payment_method_types[]": "card",
            "confirm": "true",
        },
        timeout=30,
    )
    answer.raise_for_status()
    events = session.get(f"{sandbox_url}/v1/events", params={"type": "charge.succeeded"}, timeout=30).json()["data"]
    return dict(events[0])


def _deliveries(template: Mapping[str, Any], count: int) -> list[Delivery]:
    """Copies of one event under new ids, signed now, as Stripe signs."""
    timestamp = int(time.time())
    deliveries = []
    for _ in range(count):
        body = json.dumps({**template, "id": f"evt_{uuid.uuid4().hex}"}, indent=2).encode()
        digest = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()
        deliveries.append(Delivery(body, f"t={timestamp},v1={digest}"))
    return deliveries


def _write(log: Any, name: str, line: str) -> None:
    if not log.closed:
        log.write(f"{name}: {line}\n")
