"""Processes are killed at random during purchases: every paid order is delivered exactly once, and nothing is lost."""

import hmac
import itertools
import json
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import psycopg
import pytest
import requests
from psycopg import sql

from benchmarks.delivery import make_crowd, students_of

SECRET = "whsec_sandbox0000000000000000000000000"
VICTIMS = ("worker", "web", "redis", "postgres")
PURCHASES = 200
GIVE_UP_SECONDS = 150


def signed_event():
    event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": "customer.created",
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
    }
    body = json.dumps(event).encode()
    timestamp = int(time.time())
    digest = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()
    return event["id"], body, f"t={timestamp},v1={digest}"


def deliver(site):
    """Send one event as Stripe would; return its id and the status of the answer, 0 without an answer."""
    event_id, body, signature = signed_event()
    try:
        answer = requests.post(
            f"{site.base_url}/payments/webhook/", data=body, headers={"Stripe-Signature": signature}, timeout=20
        )
    except requests.RequestException:
        return event_id, 0
    return event_id, answer.status_code


def kill_at_random(site, chance, *, until, victims=VICTIMS):
    """Kill processes one at a time with SIGKILL and start them again, until `until` is true; return those killed.

    Runs in the main thread, because the kernel kills the processes when the thread that started them ends.
    """
    killed = []
    # Each process in turn, in random order, so that even a short run kills every one.
    for turn in itertools.repeat(victims):
        for victim in chance.sample(turn, len(turn)):
            time.sleep(chance.uniform(0.5, 2.5))
            if until(killed):
                return killed
            killed.append(victim)
            if victim == "redis":
                site.flush_redis()
            site.kill(victim)
            time.sleep(chance.uniform(0.1, 1.0))
            site.start(victim)
    raise AssertionError("never reached")


def buy(student, crowd):
    """Buy like a patient student: try again until Stripe reports that it is paid."""
    ends_at = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < ends_at:
        try:
            if not student.checkout_session:
                student.fill_cart(workshop=crowd["workshop"], course=crowd["course"])
                if not student.press_pay():
                    time.sleep(0.5)
                    continue
            if student.pay():
                return True
            # Another payment page replaced this one: go back to the cart.
            student.checkout_session = ""
        except requests.RequestException:
            time.sleep(0.3)
    return False


def paid_at_the_sandbox(site, emails):
    """The paid checkout sessions of these email addresses."""
    sessions, after = [], {}
    while True:
        page = requests.get(
            f"{site.sandbox_url}/v1/checkout/sessions",
            params={"limit": 100, "status": "complete", **after},
            auth=("sk_test_sandbox00000000000000000", ""),
            timeout=30,
        ).json()
        sessions += page["data"]
        if not page["has_more"]:
            return [session for session in sessions if (session["customer_details"] or {}).get("email") in emails]
        after = {"starting_after": page["data"][-1]["id"]}


def unfinished(site):
    return site.query(
        "SELECT state, count(*) FROM payments_webhookevent WHERE state <> 'done' GROUP BY state"
    ) + site.query("SELECT state, count(*) FROM notifications_mail WHERE state <> 'done' GROUP BY state")


@pytest.mark.slow
def test_two_hundred_purchases_survive_random_kills(site):
    crowd = make_crowd(site.stack, students=PURCHASES, places=2 * PURCHASES, name=f"chaos-{uuid.uuid4().hex[:6]}")
    students = students_of(site.stack, crowd)
    emails = [student.email for student in students]
    seed = random.randrange(10**6)
    with ThreadPoolExecutor(8) as pool:
        purchases = [pool.submit(buy, student, crowd) for student in students]
        killed = kill_at_random(site, random.Random(seed), until=lambda _: all(p.done() for p in purchases))
    site.restore()
    bought = [purchase.result() for purchase in purchases]
    assert set(killed) == set(VICTIMS), f"seed {seed}: only {killed} were killed"
    assert all(bought), f"seed {seed}: {bought.count(False)} could not pay"

    # Run now what beat does every ten minutes: fetch the missed events.
    site.manage("shell", "-v", "0", "-c", "from payments.sweeps import take_in_missed_events as t; t()")
    site.wait_until(lambda: not unfinished(site), within=120, what=f"seed {seed}: all work, left: {unfinished(site)}")

    sessions = paid_at_the_sandbox(site, set(emails))
    orders = site.query(
        """
        SELECT u.email, o.number, o.state, a.stripe_session_id AS session,
               (SELECT count(*) FROM payments_orderline l WHERE l.order_id = o.id AND l.state = 'fulfilled') AS delivered,
               (SELECT count(*) FROM notifications_mail m WHERE m.key = 'order:' || o.number || ':paid') AS mails
          FROM payments_order o JOIN accounts_user u ON u.id = o.user_id
          JOIN payments_payment a ON a.order_id = o.id AND a.status = 'succeeded'
         WHERE u.email = ANY(%s)
        """,
        emails,
    )
    assert {session["id"] for session in sessions} == {order["session"] for order in orders}, f"seed {seed}"
    assert len(sessions) == PURCHASES, f"seed {seed}: a student paid twice, or not at all"
    assert all((o["state"], o["delivered"], o["mails"]) == ("completed", 3, 1) for o in orders), (
        f"seed {seed}: {orders}"
    )
    assert not site.query(
        "SELECT 1 FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id "
        "JOIN payments_order o ON o.id = p.order_id JOIN accounts_user u ON u.id = o.user_id "
        "WHERE u.email = ANY(%s)",
        emails,
    ), f"seed {seed}: there were places for everyone"
    (counts,) = site.query(
        """
        SELECT (SELECT count(*) FROM workshops_registration WHERE workshop_id = %s AND state = 'confirmed') AS places,
               (SELECT count(*) FROM courses_enrolment WHERE course_id = %s AND state = 'active') AS enrolled,
               (SELECT count(*) FROM bookings_lesson WHERE teacher_id = %s AND state = 'confirmed') AS lessons
        """,
        int(crowd["workshop"]),
        int(crowd["course"]),
        crowd["teacher"],
    )
    assert counts == {"places": 2 * PURCHASES, "enrolled": PURCHASES, "lessons": PURCHASES}, f"seed {seed}"


@pytest.mark.slow
def test_every_acknowledged_event_is_stored_although_postgresql_is_killed_repeatedly(site):
    answers, is_over = [], threading.Event()

    def keep_delivering():
        while not is_over.is_set():
            answers.append(deliver(site))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(keep_delivering)
        kill_at_random(site, random.Random(1), until=lambda killed: len(killed) == 4, victims=("postgres",))
        is_over.set()
        sending.result()
    site.restore()
    acknowledged = [event_id for event_id, status in answers if status == 200]
    assert {status for _, status in answers} <= {200, 500, 503, 0}
    assert len(acknowledged) < len(answers), "PostgreSQL was never down when an event arrived"
    stored = site.query("SELECT count(*) AS n FROM payments_webhookevent WHERE stripe_id = ANY(%s)", acknowledged)
    assert stored == [{"n": len(acknowledged)}]
    assert deliver(site)[1] == 200


def test_without_redis_events_are_acknowledged_and_processed_once_it_is_back(site):
    site.kill("redis")
    event_id, status = deliver(site)
    assert status == 200
    site.start("redis")
    site.wait_until(
        lambda: site.query("SELECT 1 FROM payments_webhookevent WHERE stripe_id = %s AND state = 'done'", event_id),
        within=60,
        what="the event that arrived while Redis was down",
    )


def test_events_are_answered_503_while_the_database_is_read_only(site):
    # This session may write, although the database makes new sessions read-only.
    address = site.stack.database_url
    with psycopg.connect(address, autocommit=True, options="-c default_transaction_read_only=off") as operator:
        name = sql.Identifier(operator.info.dbname)
        change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format
        operator.execute(change(name, sql.SQL("on")))
        try:
            operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            # A session ends a moment after it was terminated.
            site.wait_until(lambda: deliver(site)[1] == 503, within=10, what="events to be refused")
        finally:
            operator.execute(change(name, sql.SQL("off")))
    # No process is restarted: connections opened meanwhile are read-only, so a process that fails on one must reconnect.
    site.wait_until(lambda: deliver(site)[1] == 200, within=20, what="events to be accepted again")
    site.restore()
