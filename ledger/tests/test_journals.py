import threading

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from accounts.tests.factories import TeacherFactory
from ledger.balances import balance_of, balances_of_teacher
from ledger.chart import AccountDoesNotFit
from ledger.entries import AccountKind, JournalKind, Unbalanced, credit, debit
from ledger.journals import AlreadyReversed, JournalDiffers, JournalMissing, record_journal, reverse_journal
from ledger.locks import lock_teacher_accounts
from ledger.models import Account, Journal, Posting
from money import Money

pytestmark = pytest.mark.django_db
CLEARING, FEES = AccountKind.STRIPE_CLEARING, AccountKind.PLATFORM_FEES
PENDING, AVAILABLE = AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE


def sale(teacher, *, source="order:L-1:settled", total=10000, fee=1000, currency="GBP", **more):
    """Record a sale of one line; returns what `record_journal` returns."""
    return record_journal(
        source=source,
        kind=JournalKind.SALE,
        entries=[
            debit(CLEARING, Money(total, currency)),
            credit(PENDING, Money(total - fee, currency), teacher.pk),
            credit(FEES, Money(fee, currency)),
        ],
        **more,
    )


def test_a_sale_is_on_its_accounts_on_their_normal_sides():
    teacher = TeacherFactory()
    assert sale(teacher, subject="order:L-1") is True
    assert balance_of(CLEARING, "GBP") == Money(10000, "GBP")
    assert balance_of(PENDING, "GBP", teacher_id=teacher.pk) == Money(9000, "GBP")
    assert balance_of(FEES, "GBP") == Money(1000, "GBP")
    balances = balances_of_teacher(teacher.pk)
    assert {key: amount for key, amount in balances.items() if amount.minor} == {(PENDING, "GBP"): Money(9000, "GBP")}
    assert balances[AVAILABLE, "GBP"] == Money(0, "GBP")
    journal = Journal.objects.get()
    assert (journal.source, journal.kind, journal.subject) == ("order:L-1:settled", "sale", "order:L-1")
    assert {posting.recorded_at for posting in Posting.objects.all()} == {journal.recorded_at}
    assert journal.effective_at == journal.recorded_at


def test_a_repeated_source_changes_nothing_and_a_different_one_is_refused():
    teacher = TeacherFactory()
    assert sale(teacher) is True
    assert sale(teacher) is False
    assert Posting.objects.count() == 3
    with pytest.raises(JournalDiffers, match=r"order:L-1:settled is recorded as"):
        sale(teacher, fee=999)
    assert Posting.objects.count() == 3


def test_a_sale_takes_one_statement_once_its_accounts_are_open(django_assert_num_queries):
    teacher = TeacherFactory()
    sale(teacher)
    with django_assert_num_queries(1):
        sale(teacher, source="order:L-2:settled")


def test_unbalanced_entries_are_refused_and_nothing_is_written():
    with pytest.raises(Unbalanced, match=r"exceed credits by -€0\.05, £0\.05"):
        record_journal(source="x", kind="x", entries=[debit(CLEARING, Money(5, "GBP")), credit(FEES, Money(5, "EUR"))])
    assert not Journal.objects.exists()


def test_entries_on_one_account_are_merged_and_nothing_left_writes_nothing():
    five = Money(5, "GBP")
    assert record_journal(source="x", kind="x", entries=[debit(FEES, five), credit(FEES, five)]) is False
    assert record_journal(source="x", kind="x", entries=[debit(FEES, five * 0)]) is False
    entries = [debit(CLEARING, five), debit(CLEARING, five), credit(FEES, five), credit(FEES, five)]
    assert record_journal(source="x", kind="x", entries=entries) is True
    assert sorted(Posting.objects.values_list("amount_minor", flat=True)) == [-10, 10]


def test_a_negative_debit_or_credit_is_refused():
    for side in (debit, credit):
        with pytest.raises(ValueError, match="negative"):
            side(FEES, Money(-1, "GBP"))


def test_an_account_of_a_teacher_needs_one_and_no_other_takes_one():
    five = Money(5, "GBP")
    for entries in ([debit(CLEARING, five), credit(PENDING, five)], [debit(CLEARING, five, 1), credit(FEES, five)]):
        with pytest.raises(AccountDoesNotFit):
            record_journal(source="x", kind="x", entries=entries)
    with pytest.raises(AccountDoesNotFit):
        balance_of(PENDING, "GBP")


def test_a_reversal_is_the_opposite_once():
    teacher = TeacherFactory()
    sale(teacher, subject="order:L-1")
    assert reverse_journal(source="back", of="order:L-1:settled") is True
    assert reverse_journal(source="back", of="order:L-1:settled") is False
    assert balance_of(CLEARING, "GBP") == Money(0, "GBP")
    assert Journal.objects.get(source="back").subject == "order:L-1"
    with pytest.raises(AlreadyReversed):
        reverse_journal(source="again", of="order:L-1:settled")
    with pytest.raises(JournalMissing):
        reverse_journal(source="x", of="nothing")


def execute(*statements):
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


NEW_JOURNAL = "INSERT INTO ledger_journal (source, kind, subject, description) VALUES ('raw', 'raw', '', '')"
POST = (
    "INSERT INTO ledger_posting (journal_id, account_id, amount_minor)"
    " SELECT journal.id, account.id, {amount} FROM ledger_journal AS journal, ledger_account AS account"
    " WHERE journal.source = '{source}' AND account.kind = '{kind}' AND account.currency = '{currency}'"
)


def post(amount, kind="stripe_clearing", source="raw", currency="GBP"):
    return POST.format(amount=amount, kind=kind, source=source, currency=currency)


ATTACKS = {
    "update a posting": ["UPDATE ledger_posting SET amount_minor = amount_minor * 2"],
    "update a journal": ["UPDATE ledger_journal SET effective_at = effective_at - interval '1 day'"],
    "update an account": ["UPDATE ledger_account SET currency = 'EUR'"],
    "delete postings": ["DELETE FROM ledger_posting"],
    "delete journals": ["DELETE FROM ledger_journal"],
    "delete accounts": ["DELETE FROM ledger_account"],
    "truncate postings": ["TRUNCATE ledger_posting"],
    "truncate everything": ["TRUNCATE ledger_posting, ledger_journal, ledger_account CASCADE"],
    "truncate from afar": ["TRUNCATE accounts_teacher CASCADE"],
    "an empty journal": [NEW_JOURNAL],
    "a journal of one posting": [NEW_JOURNAL, post(5)],
    "an unbalanced journal": [NEW_JOURNAL, post(5), post(-4, "platform_fees")],
    "balanced over two currencies only": [NEW_JOURNAL, post(5), post(-5, currency="EUR")],
    "unbalanced after the check": [
        NEW_JOURNAL, post(5), post(-5, "platform_fees"), "SET CONSTRAINTS ALL IMMEDIATE", post(7, "bank"),
    ],
    "unbalanced by naming the constraint": [
        NEW_JOURNAL, post(5), post(-5, "platform_fees"), "SET CONSTRAINTS ledger_journal_balances IMMEDIATE",
        "SET CONSTRAINTS ALL DEFERRED", post(7, "bank"),
    ],
    "a posting of zero": [NEW_JOURNAL, post(0), post(0, "platform_fees")],
    "a posting on no account": [
        NEW_JOURNAL, "INSERT INTO ledger_posting (journal_id, account_id, amount_minor) SELECT id, -1, 5 FROM ledger_journal",
    ],
    "a posting of no journal": [
        "INSERT INTO ledger_posting (journal_id, account_id, amount_minor) SELECT -1, id, 5 FROM ledger_account",
    ],
    "an account twice": ["INSERT INTO ledger_account (kind, currency) VALUES ('bank', 'GBP')"],
    "an account that the chart does not know": ["INSERT INTO ledger_account (kind, currency) VALUES ('loot', 'GBP')"],
    "a teacher's account without one": [
        "INSERT INTO ledger_account (kind, currency) VALUES ('teacher_pending', 'GBP')",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_raw_sql_cannot(name):
    teacher = TeacherFactory()
    sale(teacher)
    sale(teacher, source="euro", currency="EUR")
    execute()  # what is pending is in order
    before = list(Posting.objects.order_by("pk").values())
    with pytest.raises(IntegrityError):
        execute(*ATTACKS[name])
    assert list(Posting.objects.order_by("pk").values()) == before


def test_a_model_cannot_be_saved_or_deleted():
    sale(TeacherFactory())
    posting = Posting.objects.first()
    for change in (posting.save, posting.delete, posting.account.delete, posting.journal.save):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_the_database_decides_when_and_by_whom_a_journal_was_recorded():
    sale(TeacherFactory())
    execute(
        "INSERT INTO ledger_journal (source, kind, subject, description, recorded_at, effective_at, xact_id)"
        " VALUES ('raw', 'raw', '', '', '1999-01-01', '2999-01-01', 7)",
        post(5),
        post(-5, "platform_fees"),
    )
    journal = Journal.objects.get(source="raw")
    assert journal.recorded_at.year >= 2026
    assert journal.effective_at == journal.recorded_at
    assert journal.xact_id > 7
    assert set(journal.postings.values_list("recorded_at", "xact_id")) == {(journal.recorded_at, journal.xact_id)}


@pytest.mark.django_db(transaction=True)
class TestWithSeveralConnections:
    def test_no_posting_joins_a_committed_journal(self):
        sale(TeacherFactory())
        source = "order:L-1:settled"
        with pytest.raises(IntegrityError, match="in the transaction of its journal"):
            execute(post(5, "bank", source=source), post(-5, "conversion", source=source))

    def test_a_source_recorded_twice_at_once_is_recorded_once(self):
        teacher = TeacherFactory()
        outcomes = at_once(*[lambda: sale(teacher)] * 4)
        assert sorted(outcomes) == [False, False, False, True]
        assert balance_of(CLEARING, "GBP") == Money(10000, "GBP")

    def test_first_sales_of_many_teachers_at_once_open_each_account_once(self):
        teachers = TeacherFactory.create_batch(4)
        outcomes = at_once(*[lambda teacher=each: sale(teacher, source=f"order:{teacher.pk}") for each in teachers])
        assert outcomes == [True] * 4
        assert balance_of(CLEARING, "GBP") == Money(40000, "GBP")

    def test_locks_of_the_same_teachers_in_any_order_wait_for_each_other_and_not_for_sales(self):
        teachers = TeacherFactory.create_batch(3)
        pks = [teacher.pk for teacher in teachers]
        assert at_once(lambda: is_locked(pks)) == [False]  # the first time, the accounts are opened
        with transaction.atomic():
            lock_teacher_accounts(pks, "GBP")
            assert at_once(lambda: sale(teachers[0])) == [True]
            assert at_once(lambda: is_locked(pks[::-1])) == [True]
        assert at_once(lambda: is_locked(pks[::-1])) == [False]
        assert Account.objects.filter(kind=AVAILABLE, currency="GBP").count() == 3


def is_locked(pks):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '300ms'")
    try:
        with transaction.atomic():
            lock_teacher_accounts(pks, "GBP")
    except OperationalError:
        return True
    return False


def at_once(*calls):
    """Call each in a transaction of its own connection, all at once; returns what they return."""
    barrier, outcomes = threading.Barrier(len(calls)), [None] * len(calls)

    def run(position, call):
        try:
            barrier.wait()
            with transaction.atomic():
                outcomes[position] = call()
        except (DatabaseError, ValueError) as error:  # shown by the assertion of the caller
            outcomes[position] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
