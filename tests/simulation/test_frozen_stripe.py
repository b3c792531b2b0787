"""Stripe's process is stopped with its port open, while webhooks of paid orders arrive and twenty order pages poll."""

import uuid

import pytest

from benchmarks.delivery import make_crowd, students_of
from benchmarks.frozen import run_day
from benchmarks.intervals import percentile
from benchmarks.steady import hold_webhooks, pay_orders, watch

SECONDS = 20


@pytest.mark.slow
def test_a_frozen_stripe_does_not_slow_down_webhooks_pages_and_deliveries(site):
    name = uuid.uuid4().hex[:6]
    days = {}
    for is_frozen in (False, True):
        days[is_frozen] = run_day(
            site.stack,
            seconds=SECONDS,
            name=f"{'frozen' if is_frozen else 'usual'}-{name}",
            is_frozen=is_frozen,
            say=lambda _line: None,
            orders_per_second=1,
        )
        site.sandbox("deliveries", mode="normal")
    usual, silent = days[False], days[True]
    assert silent.wrong_answers == []
    assert len(silent.delivered) == SECONDS
    # One thread that waits for Stripe would cost six seconds; a busy machine costs far less.
    for what in ("acknowledged", "pages", "order_pages", "delivered"):
        before, after = percentile(getattr(usual, what), 0.9), percentile(getattr(silent, what), 0.9)
        assert after < max(3 * before, before + 0.5), what
        assert max(getattr(silent, what)) < 4, what


@pytest.mark.slow
def test_calls_that_hang_in_the_workers_do_not_delay_deliveries(site):
    crowd = make_crowd(site.stack, students=4, places=8, name=f"hang-{uuid.uuid4().hex[:6]}")
    hold_webhooks(site.stack)
    paid = pay_orders(site.stack, students_of(site.stack, crowd), crowd)
    site.sandbox("faults", kind="hang", method="*", path="/v1/*", count=20, seconds=10)
    # Make all work that calls Stripe call it again immediately.
    site.query("UPDATE payments_payment SET run_after = now() WHERE state = 'waiting'")
    site.query("UPDATE payments_chargelookup SET state = 'waiting', run_after = now(), finished_at = NULL")
    site.query("UPDATE payments_mirrorsync SET state = 'waiting', run_after = now(), finished_at = NULL")
    observed = watch(site.stack, seconds=6, paid=paid, waiting=[], clicking=[])
    assert observed.wrong_answers == []
    assert len(observed.delivered) == 4
    assert max(observed.delivered) < 4
