"""What it costs when Stripe does not answer: the same day twice, the second time with the sandbox's process stopped.

Its port stays open and takes connections, but nothing answers: the worst way for a provider to fail.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.delivery import make_crowd, students_of
from benchmarks.intervals import percentile
from benchmarks.steady import Observed, hold_webhooks, pay_orders, to_stripe, watch
from demo.processes import free_port
from demo.servers import create_missing_database
from demo.stack import Ports, Stack

MINUTES = 5.0
ORDERS_PER_SECOND = 0.5
OPEN_PAGES = 20
# The p99 of seconds from the webhook to the delivery may be at most this.
SLOWEST_DELIVERY = 2.0
# "The usual speed" on a shared machine: p99 within this ratio, or within this many seconds more.
USUAL_RATIO, USUAL_SECONDS = 2.0, 0.25


def measure(folder: Path, say: Any) -> bool:
    """Run both days and print the ratios; False if the freeze showed where it must not. FROZEN_MINUTES overrides."""
    seconds = 60 * float(os.environ.get("FROZEN_MINUTES") or MINUTES)
    with (folder / "benchmark.log").open("w", buffering=1) as log:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY"):
            environment.pop(name, None)
        stack = Stack(
            folder=folder,
            environment=environment,
            sink=lambda name, line: print(f"{name}: {line}", file=log),
            # A demo on the same machine keeps its own.
            ports=Ports(web=free_port(), sandbox=free_port()),
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
            usual = run_day(stack, seconds=seconds, name="usual", is_frozen=False, say=say)
            silent = run_day(stack, seconds=seconds, name="frozen", is_frozen=True, say=say)
        finally:
            stack.stop()
    return judge(usual, silent, say)


def run_day(  # noqa: PLR0913  # what a day is made of
    stack: Stack,
    *,
    seconds: float,
    name: str,
    is_frozen: bool,
    say: Any,
    orders_per_second: float = ORDERS_PER_SECOND,
    open_pages: int = OPEN_PAGES,
) -> Observed:
    """Run a steady day: orders are paid first, then their webhooks come in. Raises NotPrepared."""
    orders, clicks = max(round(seconds * orders_per_second), 1), max(round(seconds / 5), 1)
    count = orders + open_pages + clicks
    crowd = make_crowd(stack, students=count, places=2 * count, name=name)
    students = students_of(stack, crowd)
    hold_webhooks(stack)
    # At rest until the day begins: its search of Stripe's events would deliver what was paid before the webhooks come.
    stack.beat.stop()
    say(f"{name}: {orders} students pay")
    paid = pay_orders(stack, students[:orders], crowd)
    waiting, clicking = students[orders : orders + open_pages], students[orders + open_pages :]
    for student in waiting:
        to_stripe(student, crowd)
    for student in clicking:
        student.fill_cart(workshop=crowd["workshop"], course=crowd["course"])
    stack.beat.start()
    stack.beat.wait_until_ready()
    say(f"{name}: {seconds:.0f} s with {open_pages} open order pages")
    with frozen(stack) if is_frozen else _as_it_is():
        observed = watch(stack, seconds=seconds, paid=paid, waiting=waiting, clicking=clicking)
    observed.wrong_answers += [f"{orders - len(observed.delivered)} not delivered"] * (len(observed.delivered) < orders)
    if min(observed.delivered, default=0) < 0:
        observed.wrong_answers.append("delivered before the webhook was sent")
    return observed


@contextmanager
def frozen(stack: Stack) -> Iterator[None]:
    """Pause the sandbox and all processes it started, without ending them."""
    stack.sandbox.signal_group(signal.SIGSTOP)
    try:
        yield
    finally:
        stack.sandbox.signal_group(signal.SIGCONT)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def judge(usual: Observed, silent: Observed, say: Any) -> bool:
    """Print p50, p90 and p99 of both days and their ratios; returns whether the frozen day kept within the limits."""
    is_met = not usual.wrong_answers and not silent.wrong_answers
    for problem in [*usual.wrong_answers, *silent.wrong_answers][:20]:
        say(f"WRONG: {problem}")
    for what, before, after in _pairs(usual, silent):
        shares = {share: (percentile(before, share), percentile(after, share)) for share in (0.5, 0.9, 0.99)}
        times = ", ".join(
            f"p{share * 100:.0f} {was * 1000:.0f} → {now * 1000:.0f} ms (× {now / was:.2f})"
            for share, (was, now) in shares.items()
        )
        say(f"{what:14} {times}; {len(before)} and {len(after)} times")
        was, now = shares[0.99]
        is_met &= now <= max(was * USUAL_RATIO, was + USUAL_SECONDS)
    slowest = percentile(silent.delivered, 0.99)
    say(f"deliveries with Stripe frozen: p99 {slowest:.2f} s   target: at most {SLOWEST_DELIVERY:.0f} s")
    say(
        f"clicks on 'pay' with Stripe frozen: longest {max(silent.clicks):.1f} s, median {percentile(silent.clicks, 0.5):.2f} s"
    )
    return is_met and slowest <= SLOWEST_DELIVERY


def _pairs(usual: Observed, silent: Observed) -> list[tuple[str, list[float], list[float]]]:
    names: Mapping[str, str] = {
        "acknowledged": "acknowledged",
        "pages": "pages",
        "order pages": "order_pages",
        "delivered": "delivered",
    }
    return [(what, getattr(usual, name), getattr(silent, name)) for what, name in names.items()]
