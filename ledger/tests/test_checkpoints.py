"""Checkpoints against transactions that begin early and commit late, on PostgreSQL, with several real connections.

What is counted as an interleaving: the history of one account in one schedule. Accounts of a schedule share its order of
begins, commits, rollbacks and checkpoints, but each has postings of its own random choice of its transactions.
"""

import os
import random
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from itertools import islice, product
from string import ascii_uppercase

import psycopg
import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from ledger import checkpoints
from ledger.balances import balance_of
from ledger.checkpoints import retake_checkpoints, take_checkpoints
from ledger.entries import AccountKind
from ledger.models import Account, Checkpoint, Numbering, Page, Posting
from ledger.tests.due import take_all_checkpoints
from ledger.tests.test_journals import sale
from money import Money

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 4
CURRENCIES = 200  # of two accounts each: 25 schedules are 10,000 histories
PAIRS = [("bank", "stripe_clearing"), ("stripe_reserve", "conversion"), ("stripe_fees", "dispute_fees")]
# Ten journals, since each posting of a journal checks all of it at commit. The first ten currencies always take part.
WRITE = """
WITH chosen AS (
    SELECT currency, position %% 10 AS part
      FROM unnest(%(currencies)s::text[]) WITH ORDINALITY AS each (currency, position)
     WHERE position <= 10 OR hashtext(currency || %(source)s) %% 2 = 0
), journal AS (
    INSERT INTO ledger_journal (source, kind, subject, description, effective_at)
    SELECT %(source)s || ':' || part, 'x', '', '', clock_timestamp() - %(late)s * interval '1 millisecond'
      FROM (SELECT DISTINCT part FROM chosen) AS parts
    RETURNING id, source
)
INSERT INTO ledger_posting (journal_id, account_id, amount_minor)
SELECT journal.id, account.id, CASE account.kind WHEN %(debit)s THEN 1 ELSE -1 END * %(amount)s
  FROM chosen JOIN journal ON journal.source = %(source)s || ':' || chosen.part
  JOIN ledger_account AS account ON account.currency = chosen.currency
 WHERE account.kind = ANY(%(kinds)s)
"""
# Each balance beside the full sum, at the moments given: rows that differ.
WRONG = """
SELECT count(*) FROM ledger_account AS account CROSS JOIN (VALUES {moments}) AS moment (recorded, effective)
 WHERE account.kind = ANY(%s) AND account.currency = ANY(%s)
   AND ledger_balance(account.id, recorded, effective) <> coalesce((
       SELECT sum(amount_minor) FROM ledger_posting
        WHERE account_id = account.id AND (recorded IS NULL OR recorded_at <= recorded)
          AND (effective IS NULL OR effective_at <= effective)), 0)
"""


@contextmanager
def writers(number, *, database=None):
    with ExitStack() as stack:
        known = connection.settings_dict
        parameters = {name: known[name.upper()] for name in ("host", "port", "user", "password")} | {
            "dbname": database or known["NAME"]
        }
        yield [stack.enter_context(closing(psycopg.connect(**parameters))) for _ in range(number)]


class Schedule:
    """A random schedule over fresh accounts: two of each currency."""

    def __init__(self, seed, kinds, currencies, connections):
        self.dice, self.kinds, self.currencies = random.Random(seed), list(kinds), currencies
        self.idle, self.busy, self.written = list(connections), [], 0
        self.seed, self.wrong, self.taken = seed, 0, 0
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_account (kind, currency)"
                " SELECT kind, currency FROM unnest(%s::text[]) AS kind, unnest(%s::text[]) AS currency",
                [self.kinds, self.currencies],
            )

    def run(self, steps):
        for _ in range(steps):
            self.dice.choices([self.write, self.end, self.checkpoint_and_compare], weights=[5, 4, 3])[0]()
        while self.busy:
            self.end()
        self.checkpoint()
        moments = list(
            Posting.objects.filter(account__currency__in=self.currencies[:20]).values_list(
                "recorded_at", "effective_at"
            )
        )
        self.compare(
            [
                tuple(self.dice.choice(moments)[i] if self.dice.random() < 0.9 else None for i in (0, 1))
                for _ in range(3)
            ]
        )

    def write(self):
        """Write a journal in a transaction already begun, or in a new one."""
        one = (
            self.dice.choice(self.idle or self.busy)
            if self.dice.random() < 0.8
            else self.dice.choice(self.idle + self.busy)
        )
        if one in self.idle:
            self.idle.remove(one)
            self.busy.append(one)
        self.written += 1
        one.execute(
            WRITE,
            {
                "source": f"{self.seed}:{self.written}", "late": self.dice.choice([0, 0, 1, 5, 60]), "kinds": self.kinds,
                "debit": self.kinds[0], "amount": self.dice.randint(1, 10_000), "currencies": self.currencies,
            },
        )  # fmt: skip

    def end(self):
        """Commit or roll back one of the transactions, seldom the oldest."""
        if self.busy:
            one = self.busy.pop(-1 if self.dice.random() < 0.8 else self.dice.randrange(len(self.busy)))
            one.rollback() if self.dice.random() < 0.15 else one.commit()
            self.idle.append(one)

    def checkpoint(self):
        self.taken += take_checkpoints(segment_postings=self.dice.choice([1, 1, 2, 3]))

    def checkpoint_and_compare(self):
        self.checkpoint()
        self.compare([(None, None)])

    def compare(self, moments):
        values = ", ".join(["(%s::timestamptz, %s::timestamptz)"] * len(moments))
        with connection.cursor() as cursor:
            flat = [moment for pair in moments for moment in pair]
            cursor.execute(WRONG.format(moments=values), [*flat, self.kinds, self.currencies])
            self.wrong += cursor.fetchone()[0]


def run_schedules(number, seed):
    """Run so many, each on accounts of its own; returns how many balances were wrong, and the checkpoints taken."""
    of_schedule = []
    for kinds in PAIRS:
        codes = map("".join, product(ascii_uppercase, repeat=3))
        of_schedule += [(kinds, list(islice(codes, CURRENCIES))) for _ in range(number // len(PAIRS) + 1)]
    wrong = taken = 0
    with writers(WRITERS) as connections:
        for place, (kinds, currencies) in enumerate(of_schedule[:number]):
            schedule = Schedule(f"{seed}-{place}", kinds, currencies, connections)
            schedule.run(steps=20)
            wrong, taken = wrong + schedule.wrong, taken + schedule.taken
    return wrong, taken


@pytest.mark.slow
def test_no_late_commit_makes_a_balance_wrong():
    seed = os.environ.get("LEDGER_SEED") or random.randrange(10**9)
    schedules = int(os.environ.get("LEDGER_SCHEDULES", "25"))
    wrong, taken = run_schedules(schedules, seed)
    assert taken > schedules
    assert wrong == 0, f"LEDGER_SEED={seed}"


def test_a_checkpoint_of_all_that_is_visible_goes_wrong(monkeypatch):
    """The same schedules find the fault of checkpoints up to the newest transaction, or the newest id, so far."""
    naive = checkpoints._TAKE.replace(
        checkpoints.OLDEST, "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"
    )
    assert naive != checkpoints._TAKE
    monkeypatch.setattr(checkpoints, "_TAKE", naive)
    wrong, _ = run_schedules(10, seed=1)
    assert wrong > 100


def test_the_entry_that_opens_first_and_commits_last_is_counted():
    """LB-05, adamcharnock/django-hordak#142: 45.00 opens first and commits last; a checkpoint is taken in between."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_account (kind, currency) VALUES ('bank', 'GBP'), ('stripe_clearing', 'GBP')")
    common = {"late": 0, "kinds": ["bank", "stripe_clearing"], "debit": "bank", "currencies": ["GBP"]}
    with writers(2) as (first, second):
        first.execute(WRITE, {**common, "source": "1", "amount": 4500})
        second.execute(WRITE, {**common, "source": "2", "amount": 1800})
        second.commit()
        assert take_checkpoints(segment_postings=1) == 0  # the horizon is the first transaction's
        assert balance_of(AccountKind.BANK, "GBP") == Money(1800, "GBP")
        first.commit()
    sale(TeacherFactory(), total=0, fee=0)
    take_all_checkpoints()
    assert Checkpoint.objects.exists()
    assert balance_of(AccountKind.BANK, "GBP") == Money(6300, "GBP")


def test_a_long_transaction_in_another_database_does_not_hold_checkpoints_back():
    teacher = TeacherFactory()
    with writers(1, database="postgres") as (elsewhere,), writers(1) as (here,):
        elsewhere.execute("SELECT pg_current_xact_id()")
        sale(teacher, source="order:1")
        sale(teacher, source="order:2")
        assert take_all_checkpoints()
        here.execute("SELECT pg_current_xact_id()")
        sale(teacher, source="order:3")
        sale(teacher, source="order:4")
        with pytest.raises(AssertionError, match="stayed open"):
            take_all_checkpoints(patience=0.1)
        elsewhere.commit()
        here.commit()
    assert take_all_checkpoints()


class TestAfterARestoreIntoAnotherCluster:
    """Such a database has rows whose transactions' numbers PostgreSQL will give out again."""

    def restore(self):
        """Pretend: raise all numbers that are stored far above PostgreSQL's own, as if it counted from low again."""
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE ledger_posting SET xact_id = xact_id + 1000000000000")
            cursor.execute("UPDATE ledger_journal SET xact_id = xact_id + 1000000000000")
            cursor.execute(
                "UPDATE ledger_checkpoint SET since = CASE since WHEN 0 THEN 0 ELSE since + 1000000000000 END, horizon = horizon + 1000000000000"
            )
            cursor.execute("UPDATE ledger_numbering SET horizon = horizon + 1000000000000")
            cursor.execute("SET session_replication_role = origin")

    def test_numbers_go_on_above_the_checkpoints_and_balances_stay_right(self):
        teacher = TeacherFactory()
        for number in range(5):
            sale(teacher, source=f"before {number}")
        assert take_all_checkpoints()
        self.restore()
        horizon = Numbering.objects.get().horizon
        with writers(1) as (former,):
            former.execute("SELECT pg_current_xact_id()")
            sale(teacher, source="after 1")
            assert Posting.objects.filter(journal__source="after 1", xact_id__gte=horizon).count() == 3
            assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == Money(60000, "GBP")
            assert take_checkpoints(segment_postings=1) == 0  # the other transaction may write with former numbers
            former.rollback()
        sale(teacher, source="after 2")
        sale(teacher, source="after 3")
        assert take_all_checkpoints()
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == Money(80000, "GBP")

    def test_the_first_two_at_once_agree_on_the_numbers(self):
        teacher = TeacherFactory()
        for number in range(5):
            sale(teacher, source=f"before {number}")
        take_all_checkpoints()
        self.restore()
        with writers(2) as (first, second):
            write = "INSERT INTO ledger_journal (source, kind, subject, description) VALUES (%s, 'x', '', '') RETURNING xact_id"
            number = first.execute(write, ["after 1"]).fetchone()[0]
            second.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                second.execute(write, ["after 2"])
            second.rollback()
            first.rollback()
            assert second.execute(write, ["after 2"]).fetchone()[0] >= Numbering.objects.get().horizon
            assert number >= Numbering.objects.get().horizon


def test_checkpoints_taken_again_are_the_same():
    teacher = TeacherFactory()
    for number in range(7):
        sale(teacher, source=f"order:{number}")
    take_all_checkpoints(segment_postings=2)
    first = list(
        Checkpoint.objects.order_by("account", "horizon").values("account", "since", "horizon", "balance_minor")
    )
    assert len(first) > 3
    retake_checkpoints(segment_postings=2)
    again = list(
        Checkpoint.objects.order_by("account", "horizon").values("account", "since", "horizon", "balance_minor")
    )
    assert again == first


@pytest.mark.parametrize("are_late", [True, False])
def test_any_moment_of_effect_is_read_from_pages(are_late):
    """Enough checkpoints for blocks of 1, 16 and 256; all recorded now, but of two years, as a first import is."""
    teacher, dice = TeacherFactory(), random.Random(7)
    now = timezone.now()
    for number in range(290):
        at = now - timedelta(days=dice.randint(1, 700)) if are_late else None
        sale(teacher, source=f"order:{number}", total=dice.randint(1000, 9000), effective_at=at)
    assert take_all_checkpoints() == 3 * 289
    assert set(Page.objects.values_list("level", flat=True)) == {0, 1, 2}
    moments = Posting.objects.filter(account__kind="stripe_clearing").values_list("recorded_at", "effective_at")
    pairs = [(dice.choice(moments)[0], dice.choice(moments)[1]) for _ in range(150)]
    pairs += [(None, effective) for _, effective in pairs[:50]]
    clearing = Account.objects.get(kind="stripe_clearing")
    with connection.cursor() as cursor:
        for recorded, effective in pairs:
            cursor.execute("SELECT ledger_balance(%s, %s, %s)", [clearing.pk, recorded, effective])
            found = cursor.fetchone()[0]
            postings = clearing.postings.filter(
                effective_at__lte=effective, recorded_at__lte=recorded or timezone.now()
            )
            assert found == (postings.aggregate(total=Sum("amount_minor"))["total"] or 0)


def test_a_clock_that_jumped_makes_no_balance_wrong():
    """Postings whose moments of recording go back and forth by months, as a wrong clock would write them."""
    teacher = TeacherFactory()
    for number in range(12):
        sale(teacher, source=f"order:{number}", total=2000 + number)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_posting SET recorded_at = recorded_at + jump, effective_at = effective_at + jump"
            "  FROM (SELECT id, (abs(hashtext(source)) % 400 - 200) * interval '1 day' AS jump FROM ledger_journal) AS jumped"
            " WHERE jumped.id = journal_id"
        )
        cursor.execute("SET session_replication_role = origin")
    take_all_checkpoints()
    moments = Posting.objects.filter(account__kind="stripe_clearing").values_list("recorded_at", "amount_minor")
    for moment, _ in moments:
        expected = sum(amount for at, amount in moments if at <= moment)
        assert balance_of(AccountKind.STRIPE_CLEARING, "GBP", recorded_at=moment) == Money(expected, "GBP")
