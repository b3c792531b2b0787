"""`manage.py ledger reverse`: a journal that should never have been written is taken back once, with who and why."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.tests.factories import UserFactory
from ledger.balances import balance_of
from ledger.entries import AccountKind, JournalKind, credit, debit
from ledger.journals import record_journal
from ledger.models import Journal
from money import Money

pytestmark = pytest.mark.django_db
CLEARING, FEES = AccountKind.STRIPE_CLEARING, AccountKind.STRIPE_FEES


@pytest.fixture
def staff():
    return UserFactory(email="finance@example.org", is_staff=True)


def reverse(source, *options, by="finance@example.org"):
    """What the command prints."""
    out = io.StringIO()
    call_command("ledger", "reverse", source, "--why", "Booked twice.", "--by", by, *options, stdout=out)
    return out.getvalue()


def book_fee():
    fee = Money(250, "GBP")
    record_journal(
        source="stripe:txn_1", kind=JournalKind.STRIPE_MOVEMENT, entries=[debit(FEES, fee), credit(CLEARING, fee)]
    )


def test_without_confirmation_it_says_what_it_would_write_and_writes_nothing(staff):
    book_fee()
    assert "stripe_fees: -£2.50\n" in reverse("stripe:txn_1")
    assert Journal.objects.count() == 1
    assert balance_of(FEES, "GBP") == Money(250, "GBP")


def test_the_reversal_is_written_once_with_who_and_why(staff):
    book_fee()
    assert "reversal:stripe:txn_1 was written." in reverse("stripe:txn_1", "--yes")
    journal = Journal.objects.get(source="reversal:stripe:txn_1")
    assert (journal.kind, journal.reverses.source) == ("reversal", "stripe:txn_1")
    assert journal.description == "Booked twice. Reversed by finance@example.org."
    assert balance_of(FEES, "GBP") == balance_of(CLEARING, "GBP") == Money(0, "GBP")
    with pytest.raises(CommandError, match="was reversed by reversal:stripe:txn_1"):
        reverse("stripe:txn_1", "--yes")
    assert Journal.objects.count() == 2


def test_what_is_not_there_or_not_decided_by_staff_is_refused(staff):
    book_fee()
    UserFactory(email="student@example.org")
    with pytest.raises(CommandError, match="No journal has the source stripe:txn_2"):
        reverse("stripe:txn_2", "--yes")
    for by in ("student@example.org", "unknown@example.org"):
        with pytest.raises(CommandError, match="No member of staff"):
            reverse("stripe:txn_1", "--yes", by=by)
    assert Journal.objects.count() == 1
