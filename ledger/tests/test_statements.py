from datetime import UTC, datetime
from itertools import pairwise

import pytest

from accounts.tests.factories import TeacherFactory
from ledger.balances import balances_of_teacher
from ledger.entries import AccountKind, JournalKind, credit, debit
from ledger.journals import record_journal
from ledger.statements import statement_of
from ledger.tests.test_journals import sale
from money import Money

pytestmark = pytest.mark.django_db
PENDING, AVAILABLE = AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE


def on(day):
    return datetime(2026, 3, day, tzinfo=UTC)


def mature(teacher, minor, day):
    amount = Money(minor, "GBP")
    record_journal(
        source=f"matured {day}",
        kind=JournalKind.MATURITY,
        entries=[debit(PENDING, amount, teacher.pk), credit(AVAILABLE, amount, teacher.pk)],
        subject="order:L-1",
        description="Piano lesson",
        effective_at=on(day),
    )


def pounds(amounts):
    return {kind: amount.minor for kind, amount in amounts.items() if amount.minor}


def test_a_statement_goes_from_its_opening_balances_through_every_movement_to_its_closing_ones(
    django_assert_num_queries,
):
    teacher = TeacherFactory()
    sale(teacher, source="1", effective_at=on(1))
    sale(teacher, source="2", effective_at=on(10))
    sale(teacher, source="euro", effective_at=on(11), currency="EUR")
    sale(TeacherFactory(), source="other", effective_at=on(12))
    mature(teacher, 9000, day=14)
    sale(teacher, source="later", effective_at=on(20))
    with django_assert_num_queries(2):
        statement = statement_of(teacher.pk, "GBP", since=on(10), until=on(20))
        movements = list(statement.movements())
    assert pounds(statement.opening) == {PENDING: 9000}
    assert [(each.source, pounds(each.changes), each.total.minor) for each in movements] == [
        ("2", {PENDING: 9000}, 9000),
        ("matured 14", {PENDING: -9000, AVAILABLE: 9000}, 0),
    ]
    assert (movements[1].kind, movements[1].subject, movements[1].description) == (
        "maturity",
        "order:L-1",
        "Piano lesson",
    )
    assert pounds(statement.closing) == {PENDING: 9000, AVAILABLE: 9000}


def test_the_next_statement_opens_where_the_last_closed_and_the_last_closes_at_the_balance():
    teacher = TeacherFactory()
    for day in (1, 10, 20):
        sale(teacher, source=str(day), effective_at=on(day))
    moments = [on(1), on(10), on(15), datetime(2030, 1, 1, tzinfo=UTC)]
    closing = {}
    for since, until in pairwise(moments):
        statement = statement_of(teacher.pk, "GBP", since=since, until=until)
        assert pounds(statement.opening) == closing
        list(statement.movements())
        closing = pounds(statement.closing)
    balances = balances_of_teacher(teacher.pk)
    assert closing == {kind: amount.minor for (kind, _), amount in balances.items() if amount.minor}


def test_a_teacher_without_accounts_has_an_empty_statement():
    statement = statement_of(TeacherFactory().pk, "JPY", since=on(1), until=on(2))
    assert list(statement.movements()) == []
    assert set(statement.closing.values()) == {Money(0, "JPY")}
