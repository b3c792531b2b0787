"""100 students pay at the same moment: how soon everything is delivered, exactly once, with no place sold twice.

Several crowds come one after the other, and the median counts: other work on a shared machine makes single crowds
slower by half.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks.intervals import percentile
from benchmarks.student import Student
from benchmarks.targets import report_seconds
from demo.servers import create_missing_database
from demo.stack import CHECKOUT, Stack

STUDENTS = 100
# Too few for all, so that the last students are refused before they pay.
PLACES = 2 * STUDENTS - 10
CROWDS = 5
# Each time measured from the payment on: its column below, and how many seconds its p99 may take.
TARGETS = {"event stored": ("told", 2.0), "delivered": ("delivered", 2.0), "mails sent": ("mailed", 5.0)}
PATIENCE_SECONDS = 120
BARS = 8


def measure(folder: Path, say: Any) -> bool:
    """Run the crowds and print the distributions; False if anything was delivered wrongly."""
    with (folder / "benchmark.log").open("w", buffering=1) as log:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY"):
            environment.pop(name, None)
        stack = Stack(
            folder=folder, environment=environment, sink=lambda name, line: print(f"{name}: {line}", file=log)
        )
        try:
            for line in stack.start_servers():
                say(line)
            create_missing_database(stack.database_url)
            say("migrating")
            for _ in stack.manage("migrate", "--verbosity", "0"):
                pass
            for process in stack.start_site():
                say(f"{process.name} is ready")
            return _judge([_measure_crowd(stack, number, say) for number in range(1, CROWDS + 1)], say)
        finally:
            stack.stop()


def _judge(crowds: Sequence[Mapping[str, float]], say: Any) -> bool:
    for what, (_, limit) in TARGETS.items():
        slowest = sorted(crowd[what] for crowd in crowds if crowd)
        if slowest:
            middle = statistics.median(slowest)
            each = ", ".join(f"{seconds:.2f}" for seconds in slowest)
            say(f"{what} after payment, p99 of each crowd: {each}; median {middle:.2f} s, target at most {limit:.0f} s")
            report_seconds(middle, at_most=limit, say=say)
    return all(crowds)


def make_crowd(stack: Stack, *, students: int, places: int, name: str) -> Mapping[str, Any]:
    """Make the crowd in a process of its own, which loads Django; returns what it printed."""
    environment = {**stack.environment(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.crowd", str(students), str(places), "--name", name]
    made = subprocess.run(command, env=environment, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    crowd: Mapping[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return crowd


def students_of(stack: Stack, crowd: Mapping[str, Any]) -> list[Student]:
    """The students of the crowd, ready to act."""
    return [Student(base_url=stack.base_url, sandbox_url=stack.sandbox_url, **who) for who in crowd["students"]]


def _measure_crowd(stack: Stack, number: int, say: Any) -> Mapping[str, float]:
    """Return the p99 of each of TARGETS, in seconds; nothing if anything went wrong."""
    crowd = make_crowd(stack, students=STUDENTS, places=PLACES, name=f"crowd-{number}")
    students = students_of(stack, crowd)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda s: s.fill_cart(workshop=crowd["workshop"], course=crowd["course"]), students))
        ready = [student for student, goes in zip(students, pool.map(Student.press_pay, students), strict=True) if goes]
    say(f"{len(ready)} of {len(students)} students stand at Stripe's page; the others were told that places ran out")
    together = threading.Barrier(len(ready))

    def pay(student: Student) -> bool:
        together.wait()
        return student.pay()

    with ThreadPoolExecutor(len(ready)) as pool:
        paid = sum(pool.map(pay, ready))
    say(f"{paid} paid within {max(s.paid_at for s in ready) - min(s.paid_at for s in ready):.2f} s of each other")
    rows = _wait_for_deliveries(stack, ready)
    slowest = _print_times(rows, ready, say)
    _wait_until_all_is_quiet(stack)
    is_right = _nothing_went_wrong(stack, crowd, paid, say)
    return slowest if is_right and len(rows) == len(ready) else {}


def _wait_until_all_is_quiet(stack: Stack) -> None:
    """Wait until the payments' other events, processed seconds later, are done: they must not slow the next crowd."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        while (
            time.monotonic() < ends_at
            and connection.execute("SELECT 1 FROM payments_webhookevent WHERE state <> 'done' LIMIT 1").fetchone()
        ):
            time.sleep(0.3)


def _wait_for_deliveries(stack: Stack, students: Sequence[Student]) -> Mapping[str, Mapping[str, Any]]:
    """When each student's last line was delivered and last mail was sent. Waits until everything is."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    emails = [student.email for student in students]
    while True:
        with psycopg.connect(stack.database_url, row_factory=dict_row) as connection:
            rows = connection.execute(
                """
                SELECT u.email, o.number, max(extract(epoch FROM l.fulfilled_at)) AS delivered,
                       bool_and(l.state = 'fulfilled') AS complete,
                       (SELECT min(extract(epoch FROM e.created_at)) FROM payments_webhookevent e
                         WHERE e.order_id = o.id AND e.outcome = 'settled') AS told,
                       (SELECT max(extract(epoch FROM m.sent_at)) FROM notifications_mail m
                         WHERE m.user_id = u.id AND m.created_at >= o.paid_at) AS mailed,
                       (SELECT count(*) FROM notifications_mail m
                         WHERE m.user_id = u.id AND m.created_at >= o.paid_at AND m.sent_at IS NULL) AS unsent
                  FROM payments_order o JOIN accounts_user u ON u.id = o.user_id
                  JOIN payments_orderline l ON l.order_id = o.id
                 WHERE o.state = 'completed' AND u.email = ANY(%s)
                 GROUP BY u.id, o.id
                """,
                [emails],
            ).fetchall()
        done = {row["email"]: row for row in rows if row["complete"] and not row["unsent"] and row["mailed"]}
        if len(done) == len(emails) or time.monotonic() > ends_at:
            return done
        time.sleep(0.3)


def _print_times(rows: Mapping[str, Mapping[str, Any]], students: Sequence[Student], say: Any) -> Mapping[str, float]:
    if len(rows) < len(students):
        say(f"only {len(rows)} of {len(students)} orders were delivered with all their mails")
    slowest = {}
    for what, (column, _) in TARGETS.items():
        waits = [max(float(rows[s.email][column]) - s.paid_at, 0.0) for s in students if s.email in rows]
        shares = ", ".join(f"p{share * 100:.0f} {percentile(waits, share):.2f} s" for share in (0.5, 0.9, 0.99))
        say(f"{what} after payment: {shares}, longest {max(waits):.2f} s")
        _print_histogram(waits, say)
        slowest[what] = percentile(waits, 0.99)
    return slowest


def _print_histogram(waits: Sequence[float], say: Any) -> None:
    width = max(max(waits) / BARS, 0.05)
    bars = Counter(min(int(wait / width), BARS - 1) for wait in waits)
    for number in range(BARS):
        inside = bars[number]
        say(f"  {number * width:5.2f} s {'#' * inside} {inside or ''}")


def _nothing_went_wrong(stack: Stack, crowd: Mapping[str, Any], paid: int, say: Any) -> bool:
    with psycopg.connect(stack.database_url, row_factory=dict_row) as connection:
        row = connection.execute(
            """
            SELECT (SELECT count(*) FROM workshops_registration
                     WHERE workshop_id = %(workshop)s AND state = 'confirmed') AS places,
                   (SELECT count(*) FROM courses_enrolment WHERE course_id = %(course)s AND state = 'active') AS enrolled,
                   (SELECT count(*) FROM bookings_lesson WHERE teacher_id = %(teacher)s AND state = 'confirmed') AS lessons
            """,
            {"workshop": crowd["workshop"], "course": crowd["course"], "teacher": crowd["teacher"]},
        ).fetchone()
    say(f"{paid} paid; now there are {row}; places for sale were {PLACES}")
    is_right = row == {"places": 2 * paid, "enrolled": paid, "lessons": paid} and 2 * paid <= PLACES
    if not is_right:
        say("something was delivered wrongly")
    return is_right
