"""A steady day at the site: webhooks of paid orders come in one by one, order pages stay open, people browse.

The benchmark sends the webhooks itself, so that they come in whether or not the sandbox can send any.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import psycopg
import requests

from benchmarks.student import SANDBOX_KEY, Student, browser_session, stripe_session
from demo.stack import Stack

SECRET = "whsec_sandbox0000000000000000000000000"  # noqa: S105  # the sandbox's published secret
_NEXT_POLL = re.compile(r'hx-get="([^"]+)" hx-trigger="every (\d+)s"')
_ORDER_NUMBER = re.compile(r"/my/orders/(\w+)/")
_BETWEEN_PAGES, _BETWEEN_CLICKS = 0.5, 5.0
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """An order that Stripe took money for, and the event that reports it."""

    email: str
    event: Mapping[str, Any]


@dataclass(slots=True)
class Observed:
    """The measured times, in seconds."""

    acknowledged: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    order_pages: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    wrong_answers: list[str] = field(default_factory=list)


class NotPrepared(Exception):
    """Something went wrong before anything was measured."""


def pay_orders(stack: Stack, students: Sequence[Student], crowd: Mapping[str, Any]) -> list[PaidOrder]:
    """Let the students pay while the sandbox holds its webhooks back. Raises NotPrepared."""
    with ThreadPoolExecutor(4) as pool:
        is_paid = list(pool.map(lambda student: to_stripe(student, crowd) and student.pay(), students))
    if not all(is_paid):
        raise NotPrepared(f"{is_paid.count(False)} of {len(students)} could not pay")
    sessions = {student.checkout_session: student.email for student in students}
    events = [event for event in _completions(stack) if event["data"]["object"]["id"] in sessions]
    if len(events) != len(students):
        raise NotPrepared(f"{len(events)} events for {len(students)} payments")
    return [PaidOrder(sessions[event["data"]["object"]["id"]], event) for event in events]


def to_stripe(student: Student, crowd: Mapping[str, Any]) -> bool:
    """Fill the cart and go to Stripe's payment page."""
    student.fill_cart(workshop=crowd["workshop"], course=crowd["course"])
    return student.press_pay()


def hold_webhooks(stack: Stack) -> None:
    """Keep the sandbox from sending webhooks."""
    answer = requests.post(
        f"{stack.sandbox_url}/_sandbox/deliveries", json={"mode": "drop"}, auth=(SANDBOX_KEY, ""), timeout=30
    )
    answer.raise_for_status()


def _completions(stack: Stack) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    query = {"type": "checkout.session.completed", "limit": "100"}
    while True:
        answer = requests.get(f"{stack.sandbox_url}/v1/events", params=query, auth=(SANDBOX_KEY, ""), timeout=30)
        page = answer.json()
        events += page["data"]
        if not page["has_more"]:
            return events
        query["starting_after"] = page["data"][-1]["id"]


def watch(
    stack: Stack,
    *,
    seconds: float,
    paid: Sequence[PaidOrder],
    waiting: Sequence[Student],
    clicking: Sequence[Student],
) -> Observed:
    """Run the day for this many seconds, with the webhooks of `paid` spread evenly over it."""
    observed, ends_at = Observed(), time.monotonic() + seconds
    sent: dict[str, float] = {}
    workers: list[Callable[[], None]] = [
        lambda: _look_around(stack, observed, ends_at),
        lambda: _click(clicking, observed, ends_at),
        lambda: _deliver(stack, paid, sent, observed, seconds),
        *[_poller(stack, student, observed, ends_at) for student in waiting],
    ]
    threads = [threading.Thread(target=worker) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    observed.delivered = _delivery_times(stack, sent)
    return observed


def _deliver(
    stack: Stack, paid: Sequence[PaidOrder], sent: dict[str, float], observed: Observed, seconds: float
) -> None:
    http, began_at = stripe_session(), time.monotonic()
    for number, order in enumerate(paid):
        time.sleep(max(began_at + number * seconds / len(paid) - time.monotonic(), 0))
        body = json.dumps(order.event).encode()
        timestamp = int(time.time())
        digest = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()
        sent[order.email] = time.time()
        post = partial(
            http.post,
            f"{stack.base_url}/payments/webhook/",
            data=body,
            headers={"Stripe-Signature": f"t={timestamp},v1={digest}", "Content-Type": "application/json"},
        )
        _timed(observed, observed.acknowledged, post)


def _look_around(stack: Stack, observed: Observed, ends_at: float) -> None:
    http, number = browser_session(), 0
    while time.monotonic() < ends_at:
        path = ("/", "/browse/", "/cart/")[number % 3]
        _timed(observed, observed.pages, partial(http.get, f"{stack.base_url}{path}"))
        number += 1
        time.sleep(_BETWEEN_PAGES)


def _click(clicking: Sequence[Student], observed: Observed, ends_at: float) -> None:
    """People press 'pay' during the freeze too; the site then answers that Stripe is not available."""
    for student in clicking:
        if time.monotonic() > ends_at:
            return
        began_at = time.monotonic()
        try:
            student.press_pay()
        except requests.RequestException as error:
            observed.wrong_answers.append(repr(error))
            return
        observed.clicks.append(time.monotonic() - began_at)
        time.sleep(max(min(_BETWEEN_CLICKS, ends_at - time.monotonic()), 0))


def _poller(stack: Stack, student: Student, observed: Observed, ends_at: float) -> Callable[[], None]:
    """An order page left open, which asks again as often as the page itself says."""

    def poll() -> None:
        history = student.http.get(f"{stack.base_url}/my/orders/", timeout=_PATIENCE_SECONDS)
        number = _ORDER_NUMBER.search(history.text)
        if number is None:
            observed.wrong_answers.append("no order to wait for")
            return
        url = f"/my/orders/{number.group(1)}/"
        while True:
            answer = _timed(observed, observed.order_pages, partial(student.http.get, f"{stack.base_url}{url}"))
            following = _NEXT_POLL.search(answer.text) if answer is not None else None
            if following is None or time.monotonic() + int(following.group(2)) > ends_at:
                return
            url = following.group(1)
            time.sleep(int(following.group(2)))

    return poll


def _timed(observed: Observed, times: list[float], ask: Callable[..., requests.Response]) -> requests.Response | None:
    began_at = time.monotonic()
    try:
        answer = ask(timeout=_PATIENCE_SECONDS)
    except requests.RequestException as error:
        observed.wrong_answers.append(repr(error))
        return None
    times.append(time.monotonic() - began_at)
    if answer.status_code != HTTPStatus.OK:
        observed.wrong_answers.append(f"{answer.url}: {answer.status_code}")
    return answer


def _delivery_times(stack: Stack, sent: Mapping[str, float]) -> list[float]:
    """Seconds from sending the webhook to delivering the last line; orders not delivered by the end are left out."""
    ends_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with psycopg.connect(stack.database_url) as connection:
            rows = connection.execute(
                """
                SELECT u.email, max(extract(epoch FROM l.fulfilled_at))
                  FROM payments_order o JOIN accounts_user u ON u.id = o.user_id
                  JOIN payments_orderline l ON l.order_id = o.id
                 WHERE o.state = 'completed' AND u.email = ANY(%s)
                 GROUP BY o.id, u.id HAVING bool_and(l.state = 'fulfilled')
                """,
                [list(sent)],
            ).fetchall()
        if len(rows) == len(sent) or time.monotonic() > ends_at:
            return [float(delivered) - sent[email] for email, delivered in rows]
        time.sleep(0.2)
