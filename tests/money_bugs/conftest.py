"""Lectern as the world of the scenarios, on the real database; the books are checked after each of them."""

import pytest
from django.db import connection

from jobs.invariants import broken, installed_invariants
from payments.tests.conftest import sample_domain, sandbox_process, stripe_sandbox
from tests.money_bugs.lectern import LecternWorld
from tests.money_bugs.lectern_at_stripe import WorldAtStripe

__all__ = ["sample_domain", "sandbox_process", "stripe_sandbox"]


@pytest.fixture
def terms(settings):
    """The settings, with the terms that the rows assume."""
    settings.DEFAULT_COMMISSION_BPS = 1000
    settings.TAX_RATE_BPS = 0
    settings.PAYOUT_MINIMUMS = {}
    return settings


@pytest.fixture
def world(db, sample_domain, terms):
    yield LecternWorld(terms)
    check_books()


@pytest.fixture
def lectern(world):
    """The same, for scenarios that use more of Lectern than a world has; the control does not run them."""
    return world


@pytest.fixture
def at_stripe(db, sample_domain, terms, stripe_sandbox):
    """Lectern with the sandbox as its Stripe."""
    yield WorldAtStripe(terms, stripe_sandbox)
    check_books()


def check_books():
    """The database's deferred rules, as at a commit, and every invariant of the stored data."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert broken(installed_invariants()) == {}
