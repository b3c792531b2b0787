"""`ledger verify` and `ledger hash`, on books that are well, that were tampered with, and that cannot be read."""

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from ledger.hashing import hash_of_books
from ledger.invariants import INVARIANTS
from ledger.journals import reverse_journal
from ledger.periods import close_period
from ledger.tests.due import take_all_checkpoints
from ledger.tests.test_journals import sale

pytestmark = pytest.mark.django_db(transaction=True)


def books():
    teacher = TeacherFactory()
    for number in range(4):
        sale(teacher, source=f"order:{number}", effective_at=datetime(2026, 3, 1, tzinfo=UTC))
    reverse_journal(source="back", of="order:0")
    take_all_checkpoints()
    close_period(until=datetime(2026, 2, 1, tzinfo=UTC), by=UserFactory())
    return teacher


def tamper(*statements):
    """Change rows as a superuser can who disables the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def verify():
    output = io.StringIO()
    call_command("ledger", "verify", stdout=output)
    return output.getvalue()


BACK = "(SELECT id FROM ledger_journal WHERE source = 'back')"
ONE = "(SELECT max(id) FROM ledger_posting)"
TAMPERED = {
    "ledger.journals_balance": [f"UPDATE ledger_posting SET amount_minor = amount_minor + 1 WHERE id = {ONE}"],
    "ledger.journals_have_postings": [
        "DELETE FROM ledger_posting WHERE journal_id = (SELECT max(journal_id) FROM ledger_posting)"
    ],
    "ledger.postings_fit_their_journals": [f"UPDATE ledger_posting SET xact_id = xact_id + 1 WHERE id = {ONE}"],
    "ledger.postings_are_on_accounts": [f"UPDATE ledger_posting SET account_id = -1 WHERE id = {ONE}"],
    "ledger.accounts_fit_the_chart": [
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_fits_the_chart",
        "INSERT INTO ledger_account (kind, currency) VALUES ('teacher_held', 'GBP')",
    ],
    "ledger.checkpoints_agree": ["UPDATE ledger_checkpoint SET balance_minor = balance_minor + 1"],
    "ledger.pages_agree": ["UPDATE ledger_page SET sums[1] = sums[1] + 1"],
    "ledger.reversals_are_opposite": [
        f"UPDATE ledger_posting SET amount_minor = amount_minor * 2 WHERE journal_id = {BACK}"
    ],
    "ledger.closed_periods_stay_closed": [
        "UPDATE ledger_periodclose SET closed_until = '2026-04-01', closed_at = '2026-04-01'"
    ],
    "ledger.books_are_guarded": ["ALTER TABLE ledger_posting DISABLE TRIGGER ledger_posting_is_kept"],
}
MENDED = {
    "ledger.accounts_fit_the_chart": [
        "DELETE FROM ledger_account WHERE kind = 'teacher_held' AND teacher_id IS NULL",
        "ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_fits_the_chart CHECK ({definition})",
    ],
    "ledger.books_are_guarded": ["ALTER TABLE ledger_posting ENABLE TRIGGER ledger_posting_is_kept"],
}


def test_books_in_order_hold_every_invariant():
    books()
    assert broken(INVARIANTS) == {}
    assert "5 journals, 15 postings" in verify()


def test_each_invariant_has_a_test_here():
    assert {invariant.name for invariant in INVARIANTS} == TAMPERED.keys()


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_found(name):
    books()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'ledger_account_fits_the_chart'"
        )
        (definition,) = cursor.fetchone()
    tamper(*TAMPERED[name])
    try:
        assert name in broken(INVARIANTS)
        with pytest.raises(CommandError, match="not in order") as failed:
            verify()
        assert failed.value.returncode == 1
    finally:
        tamper(*(statement.format(definition=definition) for statement in MENDED.get(name, [])))


def test_it_exits_with_2_if_it_could_not_run(tmp_path):
    command = [sys.executable, "-W", "ignore", "manage.py", "ledger", "verify"]
    environment = {
        "LECTERN_ENV": "development", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "could not be read" in done.stderr


def test_the_hash_depends_on_the_books_and_not_on_keys_order_or_moments():
    teacher = TeacherFactory(slug="elena")
    for number in (1, 2, 3):
        sale(teacher, source=f"order:{number}")
    first, with_moments = hash_of_books(), hash_of_books(with_moments=True)
    call_command("flush", interactive=False, verbosity=0)
    TeacherFactory()  # takes a primary key
    again = TeacherFactory(slug="elena")
    for number in (3, 1, 2):
        sale(again, source=f"order:{number}")
    assert hash_of_books() == first
    assert hash_of_books(with_moments=True) != with_moments
    sale(again, source="order:4")
    assert hash_of_books() != first


@pytest.mark.parametrize("change", [
    "UPDATE ledger_posting SET amount_minor = amount_minor * 2",
    "UPDATE ledger_journal SET source = source || 'x' WHERE source = 'order:1'",
    "UPDATE ledger_journal SET kind = 'x' WHERE source = 'order:1'",
    "UPDATE ledger_journal SET subject = 'x' WHERE source = 'order:1'",
    "UPDATE ledger_account SET currency = 'EUR'",
    "UPDATE accounts_teacher SET slug = 'x'",
])  # fmt: skip
def test_the_hash_notices(change):
    books()
    before = hash_of_books()
    tamper(change)
    assert hash_of_books() != before


def test_the_command_prints_the_hash_and_takes_checkpoints():
    books()
    output = io.StringIO()
    call_command("ledger", "hash", stdout=output)
    call_command("ledger", "checkpoint", "--again", stdout=output)
    assert output.getvalue().splitlines() == [hash_of_books(), "0 checkpoints taken"]


def test_the_day_of_a_statement_is_not_disturbed_by_the_clock_of_a_host():
    sale(TeacherFactory(), effective_at=datetime.now(UTC) + timedelta(days=2))
    assert broken(INVARIANTS) == {}
