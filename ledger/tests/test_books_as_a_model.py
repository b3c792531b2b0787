"""Random journals, repeats, reversals, checkpoints and closings over three currencies, against a list in memory."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from ledger.balances import balance_of, balances_of_teacher
from ledger.chart import CHART, OF_PLATFORM, PER_TEACHER, Side
from ledger.checkpoints import take_checkpoints
from ledger.entries import AccountKey, Entry, JournalKind, credit, debit, net_amounts
from ledger.hashing import hash_of_books
from ledger.invariants import INVARIANTS
from ledger.journals import AlreadyReversed, JournalDiffers, record_journal, reverse_journal
from ledger.models import Journal
from ledger.periods import close_period, closed_until
from money import Money

pytestmark = pytest.mark.django_db(transaction=True)
CURRENCIES = ("GBP", "JPY", "KWD")
_numbers = itertools.count(1)
accounts = st.one_of(
    st.tuples(st.sampled_from(OF_PLATFORM), st.none()),
    st.tuples(st.sampled_from(PER_TEACHER), st.integers(0, 1)),
)
transfers = st.lists(
    st.tuples(accounts, accounts, st.integers(0, 10**12), st.sampled_from(CURRENCIES)), min_size=1, max_size=4
)
days_ago = st.one_of(st.none(), st.floats(0, 400, allow_nan=False), st.just(-1))


class Books(RuleBasedStateMachine):
    """What is expected: for each journal its moments and amounts by account."""

    @initialize()
    def begin(self):
        self.teachers = TeacherFactory.create_batch(2)
        self.staff = UserFactory()
        self.journals = []  # (source, recorded_at, effective_at, amounts)
        self.reversed = {}
        self.before = {
            AccountKey(kind, None, currency): balance_of(kind, currency)
            for kind in OF_PLATFORM
            for currency in CURRENCIES
        }

    @rule(transfers=transfers, days=days_ago)
    def record(self, transfers, days):
        entries = self.entries_of(transfers)
        source = f"test:{next(_numbers)}"
        effective_at = None if days is None else timezone.now() - timedelta(days=days)
        with transaction.atomic():
            is_written = record_journal(
                source=source, kind=JournalKind.SALE, entries=entries, effective_at=effective_at
            )
        amounts = net_amounts(entries)
        assert is_written == bool(amounts)
        if is_written:
            self.remember(source, amounts)
            assert record_journal(source=source, kind="again", entries=entries[::-1]) is False

    def entries_of(self, transfers):
        entries = []
        for (from_kind, from_teacher), (to_kind, to_teacher), minor, currency in transfers:
            amount = Money(minor, currency)
            entries.append(debit(from_kind, amount, self.pk_of(from_teacher)))
            entries.append(credit(to_kind, amount, self.pk_of(to_teacher)))
        return entries

    def pk_of(self, position):
        return None if position is None else self.teachers[position].pk

    def remember(self, source, amounts):
        journal = Journal.objects.get(source=source)
        closed = closed_until()
        assert closed is None or journal.effective_at >= closed
        self.journals.append((source, journal.recorded_at, journal.effective_at, amounts))

    @rule(data=st.data())
    def record_something_else_under_a_known_source(self, data):
        if self.journals:
            source, _, _, amounts = data.draw(st.sampled_from(self.journals))
            doubled = [
                Entry(key.kind, Money(2 * minor, key.currency), key.teacher_id) for key, minor in amounts.items()
            ]
            with pytest.raises(JournalDiffers), transaction.atomic():
                record_journal(source=source, kind=JournalKind.SALE, entries=doubled)

    @rule(data=st.data())
    def reverse(self, data):
        if not self.journals:
            return
        of, _, _, amounts = data.draw(st.sampled_from(self.journals))
        if of in self.reversed:
            assert reverse_journal(source=self.reversed[of], of=of) is False
            with pytest.raises(AlreadyReversed):
                reverse_journal(source=f"{of}:again", of=of)
        else:
            assert reverse_journal(source=f"{of}:reversed", of=of) is True
            self.reversed[of] = f"{of}:reversed"
            self.remember(f"{of}:reversed", {key: -minor for key, minor in amounts.items()})

    @rule(size=st.integers(1, 3))
    def checkpoint(self, size):
        take_checkpoints(segment_postings=size)

    @rule(data=st.data())
    def close(self, data):
        closed = closed_until()
        moments = [at for _, _, at, _ in self.journals if closed is None or at > closed]
        if moments:
            close_period(until=data.draw(st.sampled_from(moments)), by=self.staff)

    @rule(data=st.data())
    def ask(self, data):
        """Any balance at any pair of moments, at and around those of journals."""
        if not self.journals:
            return
        recorded = data.draw(st.one_of(st.none(), st.sampled_from([journal[1] for journal in self.journals])))
        effective = data.draw(st.one_of(st.none(), st.sampled_from([journal[2] for journal in self.journals])))
        shift = data.draw(
            st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(days=-1), timedelta(days=1)])
        )
        effective = effective and effective + shift
        expected = Counter()
        for _, recorded_at, effective_at, amounts in self.journals:
            if (recorded is None or recorded_at <= recorded) and (effective is None or effective_at <= effective):
                expected.update(amounts)
        moments = {"recorded_at": recorded, "effective_at": effective}
        for teacher in self.teachers:
            together = balances_of_teacher(teacher.pk, **moments)
            for kind, currency in itertools.product(PER_TEACHER, CURRENCIES):
                wanted = self.as_read((key := AccountKey(kind, teacher.pk, currency)), expected[key])
                assert balance_of(kind, currency, teacher_id=teacher.pk, **moments) == wanted
                assert together.get((kind, currency), Money.zero(currency)) == wanted

    @invariant()
    def balances_are_the_sums(self):
        expected = Counter()
        for *_, amounts in getattr(self, "journals", []):
            expected.update(amounts)
        for key, before in getattr(self, "before", {}).items():
            assert balance_of(key.kind, key.currency) == before + self.as_read(key, expected[key])
        for teacher in getattr(self, "teachers", []):
            for (kind, currency), amount in balances_of_teacher(teacher.pk).items():
                key = AccountKey(kind, teacher.pk, currency)
                assert amount == self.as_read(key, expected[key])

    @staticmethod
    def as_read(key, minor):
        return Money(minor if CHART[key.kind].normal_side is Side.DEBIT else -minor, key.currency)

    def teardown(self):
        assert broken(INVARIANTS) == {}
        assert hash_of_books() == hash_of_books()


@pytest.mark.slow
def test_the_books_are_a_list_of_what_was_recorded():
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
