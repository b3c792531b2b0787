"""Actions at the same moment on connections of their own, and the money that they meet over."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from django.db import connection, connections, transaction

from payments.disputes.recording import record_dispute
from payments.earnings.maturing import mature_earning
from payments.refunds.recording import record_refund
from payments.stripe_objects import StripeRefund
from payments.tests.factories import paid_order
from payments.tests.money_model.machine_disputes import as_stripe_reports
from payments.tests.money_model.pool import figures_of_ledger
from payments.tests.money_model.snapshots import opened
from payments.tests.payout_factories import ready_account


def outcome_of(action):
    try:
        return action()
    except Exception as problem:  # noqa: BLE001  # what it raised is what the test looks at
        return problem


def at_once(*actions):
    """Run the actions at the same moment, each on its own connection; returns their results or exceptions."""
    together = Barrier(len(actions))

    def act(action):
        try:
            with connection.cursor():
                together.wait(30)
            return outcome_of(action)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def one_waits_for_the_other(first, second):
    """The first commits only once the second waits for it; returns both outcomes."""
    has_happened = Event()

    def hold():
        with transaction.atomic():
            done = first()
            has_happened.set()
            wait_until_another_waits_for_a_lock()
        return done

    def follow():
        assert has_happened.wait(30)
        return second()

    return at_once(hold, follow)


def wait_until_another_waits_for_a_lock():
    """Until another connection waits for this one. Other databases and processes have waiting connections, too."""
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute(blocked)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("the other did not wait")


def before_the_commit(first, second):
    """The second happens while the first is done but not committed; returns both outcomes."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            done = first()
            seen = pool.submit(at_once, second).result(timeout=60)[0]
        return done, seen


def figures(currency="GBP"):
    return {kind: minor for (kind, _), minor in figures_of_ledger()[currency].items()}


def report_on(refund, status="succeeded"):
    return record_refund(
        StripeRefund(
            id=f"re_{refund.idempotency_key}",
            status=status,
            amount=refund.amount,
            payment_intent_id=f"pi_{refund.payment.reference.hex}",
            refund_key=refund.idempotency_key,
        )
    )


def dispute_all(payment, *, reference="", key="du_1"):
    return record_dispute(as_stripe_reports(key, opened(order_of(payment), payment.amount_minor), reference=reference))


def order_of(payment):
    """As the orders of the pool: what a dispute's report reads of it."""
    return type("Paid", (), {"payment": payment, "pk": payment.order_id, "currency": payment.currency})()


def matured_sale():
    """Sold for 40.00, of which 36.00 are available; returns its payment and the teacher."""
    payment = paid_order(4000)
    line = payment.order.lines.get()
    assert mature_earning(line.pk)
    ready_account(line.teacher)
    return payment, line.teacher
