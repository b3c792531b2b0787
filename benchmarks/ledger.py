"""How fast the books answer at a million postings, half of them on one account, and whether one busy teacher slows sales."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.intervals import median_with_interval, percentile
from benchmarks.ledger_filling import FIRST_EFFECT_AT, JOURNALS, LAST_AT, fill
from benchmarks.targets import report_seconds
from demo.servers import PostgresServer
from demo.stack import CHECKOUT

QUESTIONS = 2000
CHECKED_QUESTIONS = 100
SLOWEST_BALANCE = 0.005
SLOWEST_VERIFICATION = 20.0
LEAST_SHARE_OF_SPREAD = 0.8
ROUNDS, SELLERS, SALES_EACH = 15, 4, 60
_BALANCE = "SELECT ledger_balance(%s, %s, %s)"
_ROW = "SELECT * FROM ledger_journal WHERE id = %s"
_FULL_SUM = """
SELECT coalesce(sum(amount_minor), 0) FROM ledger_posting
 WHERE account_id = %s AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
   AND effective_at <= coalesce(%s::timestamptz, 'infinity')
"""


def measure(folder: Path, say: Any) -> bool:
    """Print balances, verification and sales; False if a balance is wrong or one busy teacher slows sales."""
    with _books(folder, say) as url:
        is_right = _measure_balances(url, say)
        is_well = _measure_verification(say)
        return all((is_right, is_well, _measure_sales(say)))


@contextmanager
def _books(folder: Path, say: Any) -> Iterator[str]:
    """A database with a million postings and their checkpoints; Django uses it. Yields its address."""
    log = (folder / "benchmark.log").open("w", buffering=1)

    def write(name: str, line: str) -> None:
        log.write(f"{name}: {line}\n")

    server = PostgresServer(folder, sink=write)
    server.start()
    try:
        url = server.url("lectern")
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE lectern")
        os.environ |= {
            "LECTERN_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": url,
            "DATABASE_STATEMENT_SECONDS": "0",
            "DATABASE_IDLE_SECONDS": "0",
        }
        _manage("migrate", "--verbosity=0")
        began = time.monotonic()
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection)
        say(f"{2 * JOURNALS:,} postings filled in {time.monotonic() - began:.0f} s")
        say(f"{_manage('ledger', 'checkpoint').strip()} (the first run of all)")
        yield url
    finally:
        server.process.stop()
        log.close()


def _measure_balances(url: str, say: Any) -> bool:
    """Ask for balances at random pairs of moments, in turns with reading one row by its key."""
    dice = random.Random(1)  # noqa: S311  # nothing secret
    balances: list[float] = []
    rows: list[float] = []
    wrong = 0
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(QUESTIONS):
            question = _question(dice)
            seconds, answer = _timed(connection, _BALANCE, question)
            balances.append(seconds)
            rows.append(_timed(connection, _ROW, [dice.randint(1, JOURNALS)])[0])
            if number < CHECKED_QUESTIONS:
                wrong += answer != _timed(connection, _FULL_SUM, question)[1]
    for name, taken in (("balance at (recorded, effective)", balances), ("one row by its key", rows)):
        shares = ", ".join(
            f"p{share * 100:.0f} {percentile(taken, share) * 1000:.2f} ms" for share in (0.5, 0.95, 0.99)
        )
        say(f"{name}: {shares}")
    ratios = [percentile(balances, share) / percentile(rows, share) for share in (0.5, 0.95)]
    say(f"balance / one row: {ratios[0]:.1f} at p50, {ratios[1]:.1f} at p95")
    say(
        f"target: p95 of a balance at most {SLOWEST_BALANCE * 1000:.0f} ms; {wrong} of {CHECKED_QUESTIONS} checked are wrong"
    )
    report_seconds(percentile(balances, 0.95), at_most=SLOWEST_BALANCE, say=say)
    return wrong == 0


def _question(dice: random.Random) -> list[Any]:
    """An account, half of the time the one with half of all postings, and two moments; some are "now"."""
    account = 1 if dice.random() < 0.5 else dice.randint(2, 2000)  # noqa: PLR2004  # half
    span = (LAST_AT - FIRST_EFFECT_AT).total_seconds()
    moments = [FIRST_EFFECT_AT + timedelta(seconds=dice.random() * span) for _ in range(2)]
    return [account, *(moment if dice.random() < 0.8 else None for moment in moments)]  # noqa: PLR2004  # a fifth


def _timed(connection: psycopg.Connection[Any], statement: str, parameters: Sequence[Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    row = connection.execute(statement, parameters).fetchone()
    return time.perf_counter() - began, row[0] if row else None


def _measure_verification(say: Any) -> bool:
    began = time.monotonic()
    try:
        said = _manage("ledger", "verify")
    except subprocess.CalledProcessError as failed:
        say(f"verification failed: {failed.stdout}{failed.stderr}")
        return False
    seconds = time.monotonic() - began
    say(
        f"verified {said.splitlines()[-1]}, {seconds:.1f} s with its start   target: at most {SLOWEST_VERIFICATION:.0f} s"
    )
    report_seconds(seconds, at_most=SLOWEST_VERIFICATION, say=say)
    return True


def _measure_sales(say: Any) -> bool:
    """Record sales over several connections at once, all of one teacher or each of another, in turns."""
    import django

    django.setup()
    busy, many = [1], list(range(2, 2001))
    _sell("warming up", many)
    rates: dict[str, list[float]] = {"one": [], "many": []}
    for number in range(ROUNDS):
        arms = [("one", busy), ("many", many)]
        for name, teachers in arms[:: 1 if number % 2 else -1]:
            rates[name].append(_sell(f"{name} {number}", teachers))
    ratio = median_with_interval([one / many for one, many in zip(rates["one"], rates["many"], strict=True)])
    say(
        f"sales per second: {percentile(rates['one'], 0.5):.0f} of one teacher, {percentile(rates['many'], 0.5):.0f} of many"
    )
    say(f"one teacher / many  {ratio}   target: at least {LEAST_SHARE_OF_SPREAD}")
    return ratio.value >= LEAST_SHARE_OF_SPREAD


def _sell(round_name: str, teachers: Sequence[int]) -> float:
    """Record sales over all connections; returns sales per second."""
    from django.db import connection, transaction

    from ledger.entries import AccountKind, JournalKind, credit, debit
    from ledger.journals import record_journal
    from money import Money

    def sell(seller: int) -> None:
        for number in range(SALES_EACH):
            teacher = teachers[(seller * SALES_EACH + number * 7) % len(teachers)]
            with transaction.atomic():
                record_journal(
                    source=f"{round_name}:{seller}:{number}",
                    kind=JournalKind.SALE,
                    entries=[
                        debit(AccountKind.STRIPE_CLEARING, Money(5000, "EUR")),
                        credit(AccountKind.TEACHER_PENDING, Money(4500, "EUR"), teacher),
                        credit(AccountKind.PLATFORM_FEES, Money(500, "EUR")),
                    ],
                    effective_at=datetime.now(UTC) - timedelta(seconds=2),
                )
        connection.close()

    began = time.monotonic()
    with ThreadPoolExecutor(SELLERS) as pool:
        list(pool.map(sell, range(SELLERS)))
    return SELLERS * SALES_EACH / (time.monotonic() - began)


def _manage(*arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)  # noqa: S603  # our own command
    return done.stdout
