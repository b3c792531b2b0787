"""Random sequences of up to fifty happenings on PostgreSQL, in three currencies, against the plain model.

MONEY_SEQUENCES says how many, MONEY_SEED repeats a run. Each test prints its seed, which pytest shows if it fails.
"""

import os
import random
from datetime import timedelta

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from structlog.testing import capture_logs

from payments.tests.money_model.machine import MoneyMachine
from payments.tests.money_model.machine_disputes import DisputeSteps
from payments.tests.money_model.machine_payouts import PayoutSteps
from payments.tests.money_model.pool import CURRENCIES, fill_pool

SEQUENCES = int(os.environ.get("MONEY_SEQUENCES", "200"))
CHUNKS = 8

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet_log():
    """Thousands of lines say nothing that the plain model does not, and take a good part of the time."""
    with capture_logs():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_books_never_deviate_from_the_plain_model(chunk):
    number = int(os.environ.get("MONEY_SEED", random.randrange(2**32)))
    print(f"MONEY_SEED={number}, chunk {chunk}, {SEQUENCES // CHUNKS} sequences")  # noqa: T201  # shown if it fails

    class Machine(PayoutSteps, DisputeSteps, MoneyMachine):
        pool = fill_pool()

    with override_settings(EARNINGS_HELD_FOR=timedelta(0), PAYOUT_MINIMUMS=CURRENCIES):
        run_state_machine_as_test(
            seed(number + chunk)(Machine),
            settings=settings(
                max_examples=SEQUENCES // CHUNKS,
                stateful_step_count=50,
                deadline=None,
                database=None,
                derandomize=False,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
