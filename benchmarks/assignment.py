"""How fast a request to any teacher is assigned among ten thousand teachers, alone and in a crowd."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.assignment_filling import CROWD, EVERYONES, ONE_AT_A_TIME, SUBJECTS, TEACHERS, fill
from benchmarks.intervals import percentile
from benchmarks.targets import report_seconds
from demo.servers import PostgresServer
from demo.stack import CHECKOUT

SLOWEST = 0.1
AT_ONCE = 200
MOST_APART = 1


def measure(folder: Path, say: Any) -> bool:
    """Print how long requests take; False if one is not assigned, or if a crowd is spread unevenly."""
    with _site(folder, say):
        return all((_measure_each(say), _measure_crowd(say)))


@contextmanager
def _site(folder: Path, say: Any) -> Iterator[None]:
    """A database with teachers, lessons and open requests, and Django set up to use it."""
    log = (folder / "benchmark.log").open("w", buffering=1)

    def write(name: str, line: str) -> None:
        log.write(f"{name}: {line}\n")

    server = PostgresServer(folder, sink=write, max_connections=300)
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE lectern")
        os.environ |= {
            "LECTERN_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": server.url("lectern"),
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=CHECKOUT, check=True)
        began = time.monotonic()
        with psycopg.connect(server.url("lectern"), autocommit=True) as connection:
            say(f"{fill(connection)}, filled in {time.monotonic() - began:.0f} s")
        _set_up_django()
        yield
    finally:
        server.process.stop()
        log.close()


def _set_up_django() -> None:
    import logging

    import django

    django.setup()
    # Alerts are logged, and nothing delivers wake-ups here.
    logging.disable(logging.CRITICAL)


def _measure_each(say: Any) -> bool:
    """Requests one after the other: for subjects of hundreds of teachers, and for one that all of them teach."""
    students = iter(ONE_AT_A_TIME)
    half = len(ONE_AT_A_TIME) // 2
    is_right = True
    for name, pick in (
        (f"one of {SUBJECTS} subjects", lambda number: number % SUBJECTS + 1),
        (f"a subject that all {TEACHERS:,} teach", lambda _number: EVERYONES),
    ):
        taken = []
        for number in range(half):
            began = time.perf_counter()
            is_right &= _ask(next(students), pick(number)) is not None
            taken.append(time.perf_counter() - began)
        shares = ", ".join(
            f"p{share * 100:.0f} {percentile(taken, share) * 1000:.1f} ms" for share in (0.5, 0.95, 0.99)
        )
        say(f"{half} requests, {name}: {shares}")
        say(f"target: p99 at most {SLOWEST * 1000:.0f} ms")
        report_seconds(percentile(taken, 0.99), at_most=SLOWEST, say=say)
    return is_right


def _measure_crowd(say: Any) -> bool:
    """Requests at once for a subject of ten teachers, whose work of before is levelled too."""
    from bookings.matching import least_loaded

    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        given = list(pool.map(_ask_on_own_connection, CROWD))
    seconds = time.monotonic() - began
    loads = [one.load for one in least_loaded([pk for pk in set(given) if pk], at_most=AT_ONCE)]
    say(
        f"{AT_ONCE} requests at once in {seconds:.1f} s, {given.count(None)} not assigned; loads of teachers now: {loads}"
    )
    return None not in given and max(loads) - min(loads) <= MOST_APART


def _ask_on_own_connection(student_id: int) -> int | None:
    from django.db import connection

    try:
        return _ask(student_id, SUBJECTS + 2)
    finally:
        connection.close()


def _ask(student_id: int, subject_id: int) -> int | None:
    """Make a request, as the page does, with everything that it stores; the id of the teacher who got it."""
    from accounts.models import User
    from bookings.requests import Wish, request_lessons
    from catalogue.models import Subject

    student, subject = User.objects.get(pk=student_id), Subject.objects.get(pk=subject_id)
    wish = Wish(subject=subject, level="beginner", goals="A tune", region="GB", preferred_days=["mon", "tue"])
    return request_lessons(student=student, wish=wish, teacher=None).teacher_id
