"""The pure rules: sides, merging, balance, and the chart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chart import CHART, OF_PLATFORM, PER_TEACHER, AccountDoesNotFit, Nature, Side, check_account
from ledger.entries import AccountKey, AccountKind, Entry, Unbalanced, credit, debit, net_amounts
from money import Money

FEES, CLEARING, PENDING = AccountKind.PLATFORM_FEES, AccountKind.STRIPE_CLEARING, AccountKind.TEACHER_PENDING
amounts = st.integers(0, 10**15)
keys = st.tuples(st.sampled_from(AccountKind), st.sampled_from([None, 1, 2]), st.sampled_from(["GBP", "JPY", "KWD"]))


def test_debits_are_positive_and_credits_negative():
    assert debit(PENDING, Money(5, "GBP"), 7) == Entry(PENDING, Money(5, "GBP"), 7)
    assert credit(PENDING, Money(5, "GBP"), 7) == Entry(PENDING, Money(-5, "GBP"), 7)
    assert credit(FEES, Money(0, "GBP")).account == AccountKey(FEES, None, "GBP")


@pytest.mark.parametrize("side", [debit, credit])
def test_a_negative_amount_is_refused_with_advice(side):
    with pytest.raises(ValueError, match=r"^-£0\.01 is negative; use the other side$"):
        side(FEES, Money(-1, "GBP"))


@given(st.lists(st.tuples(keys, keys, amounts)))
def test_balanced_entries_net_to_one_amount_per_account(moves):
    expected = {}
    entries = []
    for (kind, teacher, currency), (other_kind, other_teacher, _), minor in moves:
        entries += [
            debit(kind, Money(minor, currency), teacher),
            credit(other_kind, Money(minor, currency), other_teacher),
        ]
        for key, change in (
            (AccountKey(kind, teacher, currency), minor),
            (AccountKey(other_kind, other_teacher, currency), -minor),
        ):
            expected[key] = expected.get(key, 0) + change
    net = net_amounts(entries)
    assert net == {key: minor for key, minor in expected.items() if minor}
    assert sum(net.values()) == 0
    assert net_amounts(entries[::-1]) == net
    assert list(net) == sorted(net, key=lambda key: (key.kind, key.teacher_id or 0, key.currency))


@given(amounts, amounts)
def test_entries_that_do_not_add_up_are_refused(left, right):
    entries = [debit(CLEARING, Money(left, "GBP")), credit(FEES, Money(right, "GBP"))]
    if left == right:
        net_amounts(entries)
    else:
        with pytest.raises(Unbalanced):
            net_amounts(entries)


def test_currencies_do_not_balance_each_other_and_all_that_are_wrong_are_named():
    entries = [
        debit(CLEARING, Money(500, "JPY")),
        credit(FEES, Money(500, "GBP")),
        debit(FEES, Money(1, "EUR")),
        credit(CLEARING, Money(1, "EUR")),
    ]
    with pytest.raises(Unbalanced, match=r"^Debits exceed credits by -£5\.00, ¥500\.$"):
        net_amounts(entries)


def test_the_chart_has_every_kind_and_a_meaning_for_each():
    assert set(CHART) == set(AccountKind)
    assert len({account.title for account in CHART.values()}) == len(CHART)
    assert all(account.meaning.endswith(".") and len(account.meaning) > 20 for account in CHART.values())
    assert set(PER_TEACHER) | set(OF_PLATFORM) == set(AccountKind)
    assert set(PER_TEACHER) == {
        kind for kind in AccountKind if kind.startswith("teacher_") or kind == "unearned_credits"
    }
    assert not set(PER_TEACHER) & set(OF_PLATFORM)


# Written out, so that a change of a nature has to be made twice.
NATURES = {
    Nature.ASSET: {"stripe_clearing", "stripe_reserve", "bank", "funds_in_dispute"},
    Nature.SUSPENSE: {"refunds_to_allocate", "conversion", "unexplained"},
    Nature.LIABILITY: {
        "teacher_pending", "teacher_available", "teacher_held", "teacher_in_payout", "unearned_credits",
        "subscriptions_unearned", "refunds_due", "tax_payable", "stripe_advance",
    },
    Nature.INCOME: {"platform_fees"},
    Nature.COST: {"platform_discounts", "platform_losses", "stripe_fees", "dispute_fees", "payout_fees"},
}  # fmt: skip


@pytest.mark.parametrize("nature", Nature)
def test_each_account_stands_on_the_side_of_its_nature(nature):
    assert {kind for kind, account in CHART.items() if account.nature is nature} == NATURES[nature]
    is_credit = nature in {Nature.LIABILITY, Nature.INCOME}
    for kind in NATURES[nature]:
        account = CHART[kind]
        assert account.normal_side is (Side.CREDIT if is_credit else Side.DEBIT)
        assert account.as_read(5, "GBP") == Money(-5 if is_credit else 5, "GBP")


def test_an_account_has_a_teacher_exactly_if_its_kind_is_one_per_teacher():
    check_account(AccountKey(PENDING, 1, "GBP"))
    check_account(AccountKey(FEES, None, "GBP"))
    with pytest.raises(AccountDoesNotFit, match=r"^teacher_pending needs a teacher\.$"):
        check_account(AccountKey(PENDING, None, "GBP"))
    with pytest.raises(AccountDoesNotFit, match=r"^platform_fees belongs to the platform, not to a teacher\.$"):
        check_account(AccountKey(FEES, 1, "GBP"))


def test_accounts_are_in_the_order_of_kind_teacher_and_currency_whatever_the_order_of_entries():
    held = AccountKind.TEACHER_HELD
    ordered = [
        AccountKey(AccountKind.BANK, None, "EUR"),
        AccountKey(AccountKind.BANK, None, "GBP"),
        # The chart refuses it later; until then it comes before those with a teacher.
        AccountKey(held, None, "GBP"),
        AccountKey(held, 1, "EUR"),
        AccountKey(held, 1, "GBP"),
        AccountKey(held, 2, "EUR"),
    ]
    entries = [Entry(key.kind, Money(7, key.currency), key.teacher_id) for key in reversed(ordered)]
    entries += [Entry(AccountKind.UNEXPLAINED, Money(-21, currency)) for currency in ("EUR", "GBP")]
    assert list(net_amounts(entries))[:-2] == ordered
