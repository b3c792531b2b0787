"""The ledger and balances: LB-03, LB-04, LB-06 to LB-11."""

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from ledger.balances import balance_of
from ledger.entries import AccountKind, JournalKind, credit, debit
from ledger.journals import record_journal, reverse_journal
from ledger.models import Account, Journal, Posting
from money import Money, split_by_rate
from money.shares import spread
from payments.earnings.balances import teacher_balances
from payments.earnings.movements import as_movements, rows_of_movements

K = AccountKind


def gbp(minor):
    return Money(minor, "GBP")


def owed(lectern, letter, kind=K.TEACHER_AVAILABLE):
    return balance_of(kind, "GBP", teacher_id=lectern.teacher(letter).pk)


def test_lb_03_a_journal_is_reversed_once(lectern):
    """blnkfinance/blnk#152: each repeat of a reversal moved the balance again."""
    teacher = lectern.teacher("A").pk
    entries = [debit(K.STRIPE_CLEARING, gbp(4500)), credit(K.TEACHER_AVAILABLE, gbp(4500), teacher)]
    record_journal(source="entry", kind=JournalKind.CORRECTION, entries=entries)
    assert owed(lectern, "A") == gbp(4500)
    assert [reverse_journal(source="entry:reversed", of="entry") for _ in range(3)] == [True, False, False]
    assert owed(lectern, "A") == gbp(0)
    assert Journal.objects.filter(reverses__source="entry").count() == 1


def test_lb_04_the_parts_of_a_joint_course_are_the_price():
    """blnkfinance/blnk#73: three parts, each rounded alone, were a cent more than what was paid."""
    split = split_by_rate(gbp(250), 1000)
    first, second = spread(split.share, over=[gbp(1), gbp(1)])
    assert (split.fee, first, second) == (gbp(25), gbp(113), gbp(112))
    assert split.fee + first + second == gbp(250)


def test_lb_06_the_database_refuses_what_does_not_balance(lectern):
    """AshishKapoor/fintrack#49: only one layer checked the sum, so every other way in could unbalance the books."""
    teacher = lectern.teacher("A").pk
    legs = [
        debit(K.STRIPE_CLEARING, gbp(10000)),
        credit(K.PLATFORM_FEES, gbp(1000)),
        credit(K.TEACHER_AVAILABLE, gbp(9000), teacher),
    ]
    assert record_journal(source="right", kind=JournalKind.CORRECTION, entries=legs)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        write_unbalanced()
    assert not Journal.objects.filter(source="wrong").exists()
    assert owed(lectern, "A") == gbp(9000)


def write_unbalanced():
    """A journal through the ORM, past every check of ours; then what happens at the commit."""
    accounts = {account.kind: account for account in Account.objects.all()}
    wrong = {K.STRIPE_CLEARING: 10000, K.PLATFORM_FEES: -1000, K.TEACHER_AVAILABLE: -8000}
    journal = Journal.objects.create(source="wrong", kind=JournalKind.CORRECTION)
    Posting.objects.bulk_create(
        Posting(journal=journal, account=accounts[kind], amount_minor=minor) for kind, minor in wrong.items()
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_lb_07_a_reversal_through_an_empty_account_is_accepted(lectern):
    """formancehq/ledger#711: only what left the account was looked at, not what the same reversal brought in."""
    teacher = lectern.teacher("A").pk
    both = [
        debit(K.REFUNDS_DUE, gbp(500)),
        credit(K.TEACHER_AVAILABLE, gbp(500), teacher),
        debit(K.TEACHER_AVAILABLE, gbp(500), teacher),
        credit(K.TEACHER_IN_PAYOUT, gbp(500), teacher),
    ]
    opening = [debit(K.STRIPE_CLEARING, gbp(1000)), credit(K.REFUNDS_DUE, gbp(1000))]
    record_journal(source="opening", kind=JournalKind.CORRECTION, entries=opening)
    record_journal(source="through", kind=JournalKind.CORRECTION, entries=both)
    assert owed(lectern, "A", K.TEACHER_IN_PAYOUT) == gbp(500)
    assert reverse_journal(source="through:reversed", of="through")
    assert balance_of(K.REFUNDS_DUE, "GBP") == gbp(1000)
    assert [owed(lectern, "A", kind) for kind in (K.TEACHER_AVAILABLE, K.TEACHER_IN_PAYOUT)] == [gbp(0), gbp(0)]


def test_lb_08_a_credit_carries_no_fee(lectern):
    """opencollective/opencollective#2854: the waived fee was credited like a sale, and a fee taken from it."""
    lectern.sell("100.00")
    waived = [debit(K.PLATFORM_FEES, gbp(1000)), credit(K.TEACHER_AVAILABLE, gbp(1000), lectern.teacher("A").pk)]
    record_journal(source="waived", kind=JournalKind.CORRECTION, entries=waived)
    lectern.shows(A="100.00", platform="0.00")


def test_lb_10_a_sale_is_earned_once(world):
    """antiwork/gumroad#650: a repeat produced the earning of the same charge again."""
    sale = world.sell("100.00")
    sale.pays()
    sale.is_earned()
    sale.is_earned()
    world.shows(A="90.00", platform="10.00")


def test_lb_11_one_charge_has_one_fee(world):
    """coopcycle/coopcycle-web#2334: Stripe's whole fee showed up for each shop of a shared order."""
    world.sell("50.00", "20.00", "30.00", teachers="ABC", stripe_fee="1.70")
    world.shows(A="45.00", B="18.00", C="27.00", fees="10.00", costs="1.70", platform="8.30")


def test_lb_09_a_report_has_a_partly_refunded_sale_at_what_is_left(lectern):
    """antiwork/gumroad#6420: one version dropped such a sale from what was earned, another counted it twice."""
    sale = lectern.sell("2.19")
    refund = sale.refund("1.10")
    refund.succeeds()
    refund.shows(fee="0.11", share="0.99")
    teacher = lectern.teacher("A").pk
    movements = as_movements(rows_of_movements(teacher, "GBP"), teacher_id=teacher)
    assert sorted(each.amount.minor for each in movements) == [-99, 197]
    (balance,) = teacher_balances(teacher)
    assert (balance.earned, balance.withdrawn) == (gbp(98), gbp(0))
    lectern.shows(A="0.98", platform="0.11")
