"""Stripe's statement against the books, and reports: RC-01 to RC-07."""

from ledger.balances import balance_of
from ledger.entries import AccountKind, JournalKind
from ledger.models import Posting
from money import Money
from notifications.models import Alert
from payments.earnings.movements import as_movements, rows_of_movements
from payments.models import ReconciliationRun
from tests.money_bugs.lectern_statement import Statement, differences, totals


def test_rc_01_what_has_no_name_is_shown_and_the_sum_is_stripes(lectern):
    """Automattic/woocommerce-payments#8588: only some kinds were listed, so the rows did not add up to the payout."""
    sale = lectern.sell("1000.00", stripe_fee="0.00")
    refund = sale.refund("100.00")
    refund.succeeds()
    dispute = sale.dispute("30.00")
    statement = Statement()
    statement.has_charge(sale, "1000.00")
    statement.has_refund(refund, "-100.00")
    statement.has_dispute(dispute)
    run = statement.is_compared()
    assert totals(run) == ["855.00", "855.00", "0.00", "0.00"]
    statement.has("loan_adjustment", "-5.00")
    run = statement.is_compared()
    assert totals(run) == ["850.00", "855.00", "-5.00", "0.00"]
    assert differences(run) == [("unknown_type", "-5.00")]
    assert "loan_adjustment" in run.differences.get().sentence
    assert Alert.objects.filter(key="reconciliation", cleared_at=None).exists()


def test_rc_02_a_month_with_a_lost_dispute_has_its_report(lectern):
    """stamhoofd/stamhoofd#577: a row of a dispute raised an error, and there was no report at all."""
    kept, disputed = lectern.sell("200.00"), lectern.sell("100.00")
    dispute = disputed.dispute()
    dispute.is_lost()
    statement = Statement()
    statement.has_charge(kept, "200.00")
    statement.has_charge(disputed, "100.00")
    statement.has_dispute(dispute)
    run = statement.is_compared()
    assert totals(run) == ["185.00", "185.00", "0.00", "0.00"]
    assert differences(run) == []


def test_rc_03_a_cancelled_sale_is_sold_and_refunded(world):
    """HiEventsDev/Hi.Events#876: the sale stayed in the report, and its refund read nothing."""
    sale = world.sell("100.00")
    refund = sale.refund_at_stripe("100.00")
    refund.shows(amount="100.00", fee="10.00", share="90.00")
    sale.shows(paid="100.00", refunded="100.00", refundable="0.00")
    world.shows(A="0.00", fees="0.00")


def test_rc_04_refunds_and_lost_disputes_are_losses_and_others_are_not(lectern):
    """govuk-pay/pay-selfservice#4941: the net of refunds and lost disputes was missing, or of the wrong sign."""
    refund = lectern.sell("100.00").refund("20.00")
    refund.succeeds()
    lost, won = lectern.sell("100.00").dispute(), lectern.sell("100.00").dispute()
    lectern.sell("100.00").dispute()
    lost.is_lost()
    won.is_won()
    assert at_stripe(journal__kind=JournalKind.REFUND) == gbp(-2000)
    assert at_stripe(journal__subject=f"dispute:{lost.stripe_id}") == gbp(-11500)
    assert at_stripe(journal__subject=f"dispute:{won.stripe_id}") == gbp(-1500)
    # The teacher sees the sales, and only what is lost: 18.00 of the refund, 90.00 of the dispute.
    seen = sorted(movement.amount.minor for movement in movements_of(lectern.teacher("A")))
    assert seen == [-9000, -1800, 9000, 9000, 9000, 9000]
    lectern.shows(A="252.00", fees="28.00", costs="45.00")


def test_rc_05_the_charges_of_a_payout_add_up_to_it(lectern):
    """airbytehq/airbyte#46499: only the payout's own row named the payout, so joining by it lost the charges."""
    first, second = lectern.sell("53.00", stripe_fee="1.24"), lectern.sell("41.00", stripe_fee="1.12")
    statement = Statement()
    statement.has_charge(first, "53.00", fee="1.24")
    statement.has_charge(second, "41.00", fee="1.12")
    statement.has_platform_payout("-91.64")
    run = statement.is_compared(repairs=ReconciliationRun.Repairs.ROUTINE)
    assert differences(run) == [("platform_payout", "-91.64")]
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
