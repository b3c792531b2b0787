import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from ledger.balances import balance_of
from ledger.entries import AccountKind
from ledger.models import Journal, PeriodClose
from ledger.periods import CannotClose, close_period, journals_to_close
from ledger.tests.test_journals import execute, sale
from money import Money

pytestmark = pytest.mark.django_db
JANUARY = datetime(2026, 1, 20, 9, 30, tzinfo=UTC)
FEBRUARY_BEGINS = datetime(2026, 2, 1, tzinfo=UTC)


def test_what_arrives_late_takes_effect_at_the_first_open_moment_and_keeps_the_true_one_in_words():
    close_period(until=FEBRUARY_BEGINS, by=UserFactory())
    sale(TeacherFactory(), effective_at=JANUARY, description="Piano lesson")
    journal = Journal.objects.get()
    assert journal.effective_at == FEBRUARY_BEGINS
    assert journal.description == "Piano lesson [happened on 20 January 2026, 09:30 UTC]"
    assert balance_of(AccountKind.STRIPE_CLEARING, "GBP", effective_at=FEBRUARY_BEGINS) == Money(10000, "GBP")


def test_a_closed_period_keeps_its_figures():
    sale(TeacherFactory(), effective_at=JANUARY)
    end = FEBRUARY_BEGINS - timedelta(microseconds=1)
    before = balance_of(AccountKind.STRIPE_CLEARING, "GBP", effective_at=end)
    close_period(until=FEBRUARY_BEGINS, by=UserFactory())
    sale(TeacherFactory(), source="order:late", effective_at=JANUARY)
    assert balance_of(AccountKind.STRIPE_CLEARING, "GBP", effective_at=end) == before == Money(10000, "GBP")


def test_what_takes_effect_in_the_open_is_left_alone():
    close_period(until=FEBRUARY_BEGINS, by=UserFactory())
    sale(TeacherFactory(), effective_at=FEBRUARY_BEGINS, description="On time")
    assert list(Journal.objects.values_list("effective_at", "description")) == [(FEBRUARY_BEGINS, "On time")]


def test_the_database_refuses_a_journal_in_a_closed_period():
    close_period(until=FEBRUARY_BEGINS, by=UserFactory())
    statement = (
        "INSERT INTO ledger_journal (source, kind, subject, description, effective_at)"
        " VALUES ('raw', 'raw', '', '', '2026-01-31 23:59:59+00')"
    )
    with pytest.raises(IntegrityError, match="closed for the time"):
        execute(statement)


@pytest.mark.parametrize("until", [None, FEBRUARY_BEGINS, JANUARY])
def test_only_what_is_over_and_open_can_be_closed(until):
    by = UserFactory()
    close_period(until=FEBRUARY_BEGINS, by=by)
    with pytest.raises(CannotClose):
        close_period(until=until or timezone.now() + timedelta(minutes=1), by=by)
    assert PeriodClose.objects.count() == 1


@pytest.mark.parametrize(
    "change", ["UPDATE ledger_periodclose SET closed_until = '2020-01-01'", "DELETE FROM ledger_periodclose"]
)
def test_a_closed_period_is_never_opened(change):
    close_period(until=FEBRUARY_BEGINS, by=UserFactory())
    with pytest.raises(IntegrityError):
        execute(change)


def test_the_preview_counts_what_is_still_open():
    for day in (1, 2, 3):
        sale(TeacherFactory(), source=str(day), effective_at=datetime(2026, 1, day, tzinfo=UTC))
    close_period(until=datetime(2026, 1, 2, tzinfo=UTC), by=UserFactory())
    assert journals_to_close(FEBRUARY_BEGINS) == 2


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_a_journal_that_is_being_written():
    """Otherwise that journal would commit into the period after it was closed."""
    teacher, by, done = TeacherFactory(), UserFactory(), threading.Event()

    def close():
        try:
            close_period(until=FEBRUARY_BEGINS, by=by)
            done.set()
        finally:
            connection.close()

    with transaction.atomic():
        sale(teacher, effective_at=JANUARY)
        thread = threading.Thread(target=close)
        thread.start()
        assert not done.wait(0.5)
    thread.join()
    assert done.is_set()
    journal, closing = Journal.objects.get(), PeriodClose.objects.get()
    assert journal.effective_at == JANUARY
    assert journal.recorded_at < closing.closed_at
