"""`manage.py reconcile` is killed at any point and started again: nothing is doubled or lost."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db.models import Count

from jobs.invariants import broken
from jobs.runner import drain
from jobs.tests.servers import database_url
from ledger.models import Journal
from notifications.models import Mail
from payments.invariants import INVARIANTS
from payments.models import Difference, Payment, ReconciliationRun, ReconciliationTotal, Refund, StripeMovement
from payments.reconciliation.runs import is_clean
from payments.tests.test_reconciliation_runs import buy, clearing, found, reconcile, sale, stripe_post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
POINTS = [
    "reading: page stored, progress not",
    "reading: page stored with its progress",
    "comparing: differences written, not committed",
    "comparing: differences stored with their progress",
    "repairing: payment settled, its costs not booked",
    "repairing: made, not recorded",
    "repairing: recorded, progress not",
    "adding up: totals stored, progress not",
]


def kill(sandbox, point):
    """Run the command in another process, which is killed at the point."""
    process = subprocess.run(
        [sys.executable, "-m", "payments.tests.killed_reconciliation", point],
        env={**os.environ, "DATABASE_URL": database_url(), "SANDBOX_URL": sandbox.url},
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()[-2000:]


def continue_as_a_worker():
    """The lease of the killed process expires, and a worker finishes its run."""
    assert ReconciliationRun.objects.filter(state="running").update(run_after="2000-01-01T00:00Z") == 1
    assert drain(ReconciliationRun, seconds=30) == 1
    assert not ReconciliationRun.objects.exclude(state="done").exists()


@pytest.mark.parametrize(
    ("point", "first"),
    [
        *((point, "started again") for point in POINTS),
        ("comparing: differences written, not committed", "finished by a worker"),
        ("repairing: made, not recorded", "finished by a worker"),
    ],
)
def test_a_killed_reconciliation_doubles_and_loses_nothing(stripe_sandbox, point, first):
    missed = [buy(stripe_sandbox) for _ in range(2)]
    refunded = sale(stripe_sandbox)
    made = stripe_post(stripe_sandbox, "refunds", payment_intent=refunded.stripe_payment_intent_id, amount=700)
    kill(stripe_sandbox, point)
    if first == "started again":
        assert reconcile("--fix")[1] == 0
        continue_as_a_worker()
    else:
        continue_as_a_worker()
        assert found_by_killed_run() == 3
        assert reconcile("--fix")[1] == 0
    assert all(is_clean(run) for run in ReconciliationRun.objects.all())
    assert (reconcile()[1], found()) == (0, [])
    movements = stripe_sandbox.get("balance_transactions", limit=100)["data"]
    assert StripeMovement.objects.count() == len(movements) == 4
    assert clearing() == sum(movement["net"] for movement in movements)
    assert not ReconciliationTotal.objects.exclude(remainder_minor=0).exists()
    assert not Payment.objects.exclude(status="succeeded").exists()
    assert Refund.objects.get().stripe_refund_id == made["id"]
    assert (
        Journal.objects.count()
        == 2 * len([*missed, refunded]) + Journal.objects.filter(kind__startswith="refund").count()
    )
    assert Mail.objects.filter(key__endswith=":paid").count() == 3
    once = Difference.objects.values("run", "match_key", "kind", "currency").annotate(rows=Count("pk"))
    assert not once.filter(rows__gt=1).exists()
    assert broken(INVARIANTS) == {}


def found_by_killed_run():
    return ReconciliationRun.objects.earliest("pk").differences.count()
