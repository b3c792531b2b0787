"""Pages of a teacher's history, read from the end, are the same as those of all of it grouped."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.tests.factories import TeacherFactory
from ledger.entries import AccountKind, credit, debit
from ledger.journals import record_journal
from money import Money
from payments.earnings.movement_pages import page_of_movements
from payments.earnings.movements import rows_of_movements

KINDS = (AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE)
JOURNALS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.lists(
            st.tuples(st.sampled_from(["GBP", "EUR"]), st.sampled_from(["earn", "mature"])), min_size=1, max_size=2
        ),
    ),
    max_size=12,
)


def record(teacher, number, minutes, changes, now):
    entries = []
    for currency, change in dict(changes).items():
        amount = Money(100 + number, currency)
        if change == "earn":
            entries += [debit(AccountKind.STRIPE_CLEARING, amount), credit(KINDS[0], amount, teacher.pk)]
        else:
            entries += [debit(KINDS[0], amount, teacher.pk), credit(KINDS[1], amount, teacher.pk)]
    at = now - timedelta(minutes=minutes)
    record_journal(source=f"test:{teacher.pk}:{number}", kind="test", entries=entries, effective_at=at)


def pages(teacher, limit):
    after = None
    while rows := page_of_movements(teacher.pk, after=after, limit=limit):
        yield from rows
        last = rows[-1]
        after = last["effective_at"], last["journal_id"], last["currency"]


class TestPages(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(journals=JOURNALS, limit=st.integers(1, 3))
    def test_they_hold_every_row_once_in_its_order(self, journals, limit):
        teacher, now = TeacherFactory(), timezone.now()
        for number, (minutes, changes) in enumerate(journals):
            record(teacher, number, minutes, changes, now)
        expected = [dict(row) for row in rows_of_movements(teacher.pk)]
        found = [dict(row) for row in pages(teacher, limit)]
        assert found == [{name: row[name] for name in found[0]} for row in expected] if expected else found == []


@pytest.mark.django_db
def test_a_teacher_without_accounts_has_no_history():
    assert page_of_movements(TeacherFactory().pk, after=None, limit=3) == []
