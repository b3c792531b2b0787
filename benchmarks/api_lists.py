"""How fast the API's lists are at a hundred thousand orders, beside one row that is read by its key."""

from __future__ import annotations

import importlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from benchmarks.api_lists_filling import ORDERS, PEOPLE, fill
from benchmarks.intervals import percentile
from benchmarks.targets import report_seconds
from demo.servers import PostgresServer, RedisServer
from demo.stack import CHECKOUT

SLOWEST = 0.05
ROUNDS = 100
# How many pages of a hundred are turned before a deep page is measured.
TURNED = 20
# Parameters that make another list of an operation, by the name of the parameter.
VARIANTS = {"role": ("student", "teacher")}


@dataclass(frozen=True)
class Question:
    """A list as one caller asks for it."""

    name: str
    address: str
    secret: str


def measure(folder: Path, say: Any) -> bool:
    """Print how long each list takes; False if its number of queries grows with its rows, or if it is empty."""
    with _site(folder, say) as market:
        is_right = True
        for question in _questions(market):
            is_right &= _measure_list(question, say)
        return is_right


@contextmanager
def _site(folder: Path, say: Any) -> Iterator[Any]:
    """A full database, and Django set up to use it, without limits on requests."""
    log = (folder / "benchmark.log").open("w", buffering=1)

    def write(name: str, line: str) -> None:
        log.write(f"{name}: {line}\n")

    server, redis = PostgresServer(folder, sink=write, max_connections=50), RedisServer(folder, sink=write)
    server.start()
    redis.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE lectern")
        os.environ |= {
            "LECTERN_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": server.url("lectern"),
            "REDIS_URL": redis.url(),
            "DATABASE_STATEMENT_SECONDS": "600",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=CHECKOUT, check=True)
        market = _open_market()
        began = time.monotonic()
        with psycopg.connect(server.url("lectern"), autocommit=True) as connection:
            say(f"{fill(connection, market)}, filled in {time.monotonic() - began:.0f} s")
        yield market
    finally:
        redis.process.stop()
        server.process.stop()
        log.close()


def _open_market() -> Any:
    """One of everything, made by the functions that the pages call. All other rows are copies."""
    import logging

    import django

    django.setup()
    # Alerts are logged, and nothing delivers wake-ups here.
    logging.disable(logging.CRITICAL)
    from django.conf import settings
    from django.test.utils import setup_test_environment
    from rest_framework.throttling import SimpleRateThrottle

    setup_test_environment()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    SimpleRateThrottle.THROTTLE_RATES = {"anon": "1000000/s", "user": "1000000/s"}
    # By name: mypy does not check tests.
    tests = importlib.import_module("tests.market")
    market = tests.open_market()
    tests.credit_note_of(market.payment)
    return market


def _questions(market: Any) -> Iterator[Question]:
    """Every list of the document, as the student and the teacher with the most, and as one of a thousand."""
    from drf_spectacular.generators import SchemaGenerator

    from accounts.models import User
    from integrations.scopes import Scope
    from integrations.tokens import create_token

    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    people = {
        "student": market.student,
        "teacher": market.teacher.user,
        f"student with {ORDERS // PEOPLE}": User.objects.get(email="copy1@example.org"),
    }
    for user in people.values():
        user.emailaddress_set.get_or_create(email=user.email, verified=True, primary=True)
    terms: dict[str, Any] = {"name": "Benchmark", "scopes": list(Scope), "lifetime": timedelta(days=1)}
    secrets = {name: create_token(user=user, **terms)[1] for name, user in people.items()}
    for path, item in document["paths"].items():
        parameters = {one["name"]: one for one in item.get("get", {}).get("parameters", ())}
        # Lists of what belongs to one thing in the address are as short as that thing makes them.
        if "cursor" not in parameters or "{" in path:
            continue
        for person, secret in secrets.items():
            for query in _variants(parameters):
                address = f"{path}?{urlencode(query)}" if query else path
                yield Question(f"{address}, {person}", address, secret)


def _variants(parameters: Any) -> Iterator[dict[str, str]]:
    found = [(name, values) for name, values in VARIANTS.items() if name in parameters]
    if not found:
        yield {}
    for name, values in found:
        yield from ({name: value} for value in values)


def _measure_list(question: Question, say: Any) -> bool:
    """The first page and a deep one. A list that this caller may not see, or that is empty for them, is left out."""
    ask = _asker(question.secret)
    status, first = ask(question.address)
    if status == 403 or not first["results"]:  # noqa: PLR2004
        return True
    if status != 200:  # noqa: PLR2004
        say(f"{question.name}: answered {status}")
        return False
    few, many = _queries(ask, question.address, 1), _queries(ask, question.address, 100)
    say(f"{question.name}: {many} queries")
    if many > few:
        say(f"  MORE QUERIES FOR MORE ROWS: {few} for one row, {many} for {len(first['results'])}")
    for name, address in (("first page", question.address), ("deep page", _deep(ask, question.address))):
        if address:
            _time(name, partial(ask, address), say)
    return many <= few


def _asker(secret: str) -> Callable[[str], tuple[int, Any]]:
    from django.conf import settings
    from django.test import Client

    host = urlsplit(settings.BASE_URL).netloc
    client = Client(headers={"authorization": f"Bearer {secret}", "host": host})

    def ask(address: str) -> tuple[int, Any]:
        answer = client.get(address)
        return answer.status_code, json.loads(answer.content)

    return ask


def _queries(ask: Callable[[str], Any], address: str, limit: int) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    # Twice: once a minute, a token notes that it is used.
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            ask(_with(address, limit=limit))
        counts.append(len(captured))
    return min(counts)


def _with(address: str, **query: Any) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _deep(ask: Callable[[str], Any], address: str) -> str:
    """The address of a page far behind; empty if there are not as many."""
    following = _with(address, limit=100)
    for _ in range(TURNED):
        following = ask(following)[1]["next"]
        if following is None:
            return ""
        parts = urlsplit(following)
        following = f"{parts.path}?{parts.query}"
    return following.replace("limit=100", "limit=50")


def _time(name: str, ask: Callable[[], Any], say: Any) -> None:
    """Read the page and one row by its key, in turns."""
    pages, rows = [], []
    for _ in range(ROUNDS):
        pages.append(_seconds(ask))
        rows.append(_seconds(_read_row))
    ratio = statistics.median(pages) / statistics.median(rows)
    p50, p95 = (percentile(pages, share) * 1000 for share in (0.5, 0.95))
    say(f"  {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, {ratio:.0f} times one indexed read")
    report_seconds(percentile(pages, 0.95), at_most=SLOWEST, say=say)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _read_row() -> None:
    from payments.models import Order

    Order.objects.get(number=f"C{random.randint(1, ORDERS)}")  # noqa: S311  # no secret
