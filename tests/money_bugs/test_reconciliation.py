"""Stripe's statement against the books, and reports: RC-03, RC-05 to RC-07."""

from ledger.balances import balance_of
from ledger.entries import AccountKind
from ledger.models import Posting
from money import Money
from payments.earnings.movements import as_movements, rows_of_movements
from payments.models import ReconciliationRun
from tests.money_bugs.lectern_statement import Statement, differences, totals


def test_rc_03_a_cancelled_sale_is_sold_and_refunded(world):
    """HiEventsDev/Hi.Events#876: the sale stayed in the report, and its refund read nothing."""
    sale = world.sell("100.00")
    refund = sale.refund_at_stripe("100.00")
    refund.shows(amount="100.00", fee="10.00", share="90.00")
    sale.shows(paid="100.00", refunded="100.00", refundable="0.00")
    world.shows(A="0.00", fees="0.00")


def test_rc_05_the_charges_of_a_payout_add_up_to_it(lectern):
    """airbytehq/airbyte#46499: only the payout's own row named the payout, so joining by it lost the charges."""
    first, second = lectern.sell("53.00", stripe_fee="1.24"), lectern.sell("41.00", stripe_fee="1.12")
    statement = Statement()
    statement.has_charge(first, "53.00", fee="1.24")
    statement.has_charge(second, "41.00", fee="1.12")
    statement.has_bank_payout("-91.64")
    run = statement.is_compared(repairs=ReconciliationRun.Repairs.ROUTINE)
    assert differences(run) == [("bank_payout", "-91.64")]
    assert totals(run) == ["0.00", "91.64", "-91.64", "0.00"]
    assert balance_of(AccountKind.BANK, "GBP") == gbp(9164)
    again = statement.is_compared()
    assert differences(again) == []
    assert totals(again) == ["0.00", "0.00", "0.00", "0.00"]


def test_rc_06_amounts_that_balance_differ_by_nothing(lectern):
    """juspay/hyperswitch-control-center#5409: sums of floating-point numbers were compared with zero."""
    first, second = lectern.sell("324.71"), lectern.sell("181.51")
    refunds = [first.refund(), second.refund()]
    for refund in refunds:
        refund.succeeds()
    statement = Statement()
    statement.has_charge(first, "324.71")
    statement.has_charge(second, "181.51")
    statement.has_refund(refunds[0], "-324.71")
    statement.has_refund(refunds[1], "-181.51")
    assert totals(statement.is_compared()) == ["0.00", "0.00", "0.00", "0.00"]
    assert balance_of(AccountKind.STRIPE_CLEARING, "GBP") == gbp(0)


def test_rc_07_a_fee_is_not_money_that_was_paid_out(world):
    """opencollective/opencollective#4431: the fee counted as disbursed, so both figures were off."""
    sale = world.sell("100.00")
    sale.shows(paid="100.00")
    world.shows(A="90.00", fees="10.00", paid_out="0.00")


def gbp(minor):
    return Money(minor, "GBP")


def at_stripe(**journals):
    """How much of the money at Stripe some journals moved."""
    postings = Posting.objects.filter(account__kind=AccountKind.STRIPE_CLEARING, **journals)
    return gbp(sum(postings.values_list("amount_minor", flat=True)))


def movements_of(teacher):
    return as_movements(rows_of_movements(teacher.pk, "GBP"), teacher_id=teacher.pk)
