"""The rules of the books: every journal balances, and what is taken is given back to the minor unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entries import AccountKind
from money import Money, split_by_rate
from money.shares import GivenBack, part_to_give_back
from payments.earnings import entries
from payments.earnings.entries import Portion, RefundedPart

EVERY_AMOUNT = 10_000_000


def sums_of(*journals):
    """The balance of each account after some journals, debit positive; accounts at zero are left out."""
    sums = {}
    for entry in (entry for journal in journals for entry in journal):
        key = (entry.kind, entry.teacher_id, entry.amount.currency)
        sums[key] = sums.get(key, 0) + entry.amount.minor
    return {key: total for key, total in sums.items() if total}


def totals_of(journal):
    totals = {}
    for entry in journal:
        totals[entry.amount.currency] = totals.get(entry.amount.currency, 0) + entry.amount.minor
    return totals


@st.composite
def sales_with_refunds(draw):
    amount = draw(st.integers(1, EVERY_AMOUNT))
    rate = draw(st.integers(0, 10_000))
    cuts = sorted(draw(st.sets(st.integers(1, amount), max_size=8)) | {amount})
    parts = [after - before for before, after in zip([0, *cuts], cuts, strict=False)]
    return amount, rate, parts, draw(st.sampled_from(["GBP", "JPY", "KWD"]))


@given(sales_with_refunds())
def test_any_partial_refunds_of_all_the_amount_leave_every_account_but_clearing_at_zero(sale):
    amount, rate, parts, currency = sale
    split = split_by_rate(Money(amount, currency), rate)
    sold = Portion(teacher_id=7, fee=split.fee, share=split.share)
    journals = [entries.entries_of_sale([sold])]
    refunded = fee_back = 0
    for part in parts:
        fee = part_to_give_back(
            part,
            of=GivenBack(amount=amount, part=split.fee.minor),
            so_far=GivenBack(amount=refunded, part=fee_back),
        )
        refunded, fee_back = refunded + part, fee_back + fee
        portion = Portion(teacher_id=7, fee=Money(fee, currency), share=Money(part - fee, currency))
        journals += [
            entries.entries_of_hold(portion.share, 7, from_account=AccountKind.TEACHER_PENDING),
            entries.entries_of_refund(
                [RefundedPart(portion=portion)],
                Money.zero(currency),
                rest_account=AccountKind.REFUNDS_TO_ALLOCATE,
            ),
        ]
    assert all(set(totals_of(journal).values()) <= {0} for journal in journals)
    assert sums_of(*journals) == {}


@given(st.integers(1, EVERY_AMOUNT), st.integers(0, 10_000), st.booleans(), st.booleans())
def test_a_refund_that_fails_after_it_succeeded_changes_nothing_in_the_end(amount, rate, is_delivered, has_matured):
    split = split_by_rate(Money(amount, "GBP"), rate)
    portion = Portion(teacher_id=7, fee=split.fee, share=split.share)
    account = AccountKind.TEACHER_AVAILABLE if has_matured else AccountKind.TEACHER_PENDING
    part, rest = RefundedPart(portion=portion, is_delivered=is_delivered), Money(5, "GBP")
    held = entries.entries_of_hold(portion.share, 7, from_account=account) if is_delivered else []
    unallocated = AccountKind.REFUNDS_TO_ALLOCATE
    done = entries.entries_of_refund([part], rest, rest_account=unallocated)
    undone = entries.entries_of_failed_refund([(part, account)], rest, rest_account=unallocated)
    assert sums_of(held, done, undone) == {}


def test_a_discount_that_the_platform_bears_is_its_cost_and_shared_like_the_students_money():
    """£100.00 sold for £80.00 at 10 %: the teacher gets £90.00 all the same."""
    by_student = Portion(teacher_id=7, fee=Money(800, "GBP"), share=Money(7200, "GBP"))
    by_platform = Portion(teacher_id=7, fee=Money(200, "GBP"), share=Money(1800, "GBP"))
    another = Portion(teacher_id=8, fee=Money(50, "GBP"), share=Money(450, "GBP"))
    sold = entries.entries_of_sale([by_student], by_platform=[by_platform, another])
    assert sums_of(sold) == {
        (AccountKind.STRIPE_CLEARING, None, "GBP"): 8000,
        (AccountKind.PLATFORM_DISCOUNTS, None, "GBP"): 2500,
        (AccountKind.TEACHER_PENDING, 7, "GBP"): -9000,
        (AccountKind.TEACHER_PENDING, 8, "GBP"): -450,
        (AccountKind.PLATFORM_FEES, None, "GBP"): -1050,
    }


@pytest.mark.parametrize("account", [AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE])
def test_what_the_platform_takes_back_of_a_line_it_can_pay_again(account):
    paid = Portion(teacher_id=7, fee=Money(200, "GBP"), share=Money(1800, "GBP"))
    again = Portion(teacher_id=7, fee=Money(-200, "GBP"), share=Money(-1800, "GBP"))
    taken = entries.entries_of_reclaim(paid, share_account=account)
    assert sums_of(taken) == {
        (AccountKind.PLATFORM_DISCOUNTS, None, "GBP"): -2000,
        (account, 7, "GBP"): 1800,
        (AccountKind.PLATFORM_FEES, None, "GBP"): 200,
    }
    assert sums_of(taken, entries.entries_of_reclaim(again, share_account=account)) == {}


def test_the_money_of_an_undeliverable_line_is_owed_to_the_student_and_earned_by_no_one():
    sold = entries.entries_of_sale([], [Money(3000, "GBP")])
    assert sums_of(sold) == {
        (AccountKind.STRIPE_CLEARING, None, "GBP"): 3000,
        (AccountKind.REFUNDS_DUE, None, "GBP"): -3000,
    }


def test_each_currency_of_a_conversion_balances_by_itself():
    converted = entries.entries_of_conversion(Money(10_000, "JPY"), Money(5_300, "GBP"))
    assert totals_of(converted) == {"JPY": 0, "GBP": 0}


def test_a_fee_that_stripe_gives_back_is_the_reverse_of_a_fee():
    fee, returned = (entries.entries_of_stripe_fee(Money(minor, "GBP")) for minor in (59, -59))
    assert sums_of(fee, returned) == {}
