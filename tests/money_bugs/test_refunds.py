"""Refunds: RF-01 to RF-05, RF-07, RF-08, RF-11, RF-12, RF-14, RF-15, RF-17 and RF-18."""

import pytest

from tests.money_bugs.world import Refused


def test_rf_01_an_event_before_the_answer_books_nothing_twice(world):
    """antiwork/gumroad#6193: a partial refund whose event overtook the transaction was booked two or three times."""
    sale = world.sell("100.00")
    refund = sale.refund("25.00", events_before_answer=1)
    refund.succeeds()
    refund.succeeds()
    refund.shows(fee="2.50", share="22.50")
    world.shows(A="67.50", platform="7.50")
    sale.shows(refunds=1, mails=1, refunded="25.00", refundable="75.00")


def test_rf_02_a_refund_after_a_failed_one_is_booked_like_the_first(world):
    """antiwork/gumroad#5779, first fault: a mark of the failed refund kept the second from being booked."""
    sale = world.sell("40.00")
    first = sale.refund()
    first.succeeds()
    first.fails()
    world.shows(A="36.00", platform="4.00")
    sale.shows(refundable="40.00", refunded="0.00")
    sale.refund().succeeds()
    world.shows(A="0.00", platform="0.00")
    sale.shows(refunded="40.00")


def test_rf_03_only_the_refund_that_failed_is_undone(world):
    """antiwork/gumroad#5779, second fault: cleaning up after a failure removed an equal refund that was good."""
    sale = world.sell("40.00")
    first, second = sale.refund("10.00"), sale.refund("10.00")
    first.succeeds()
    second.succeeds()
    first.fails()
    world.shows(A="27.00", platform="3.00")
    sale.shows(refunded="10.00", refundable="30.00")


def test_rf_04_a_failed_refund_uses_up_nothing_of_its_line(world):
    """antiwork/gumroad#6225: the free line of the same course was taken, and the failed refund counted as used."""
    sale = world.sell("0.00", "30.00")
    failed = sale.refund(line=2)
    failed.succeeds()
    failed.fails()
    refund = sale.refund(line=2)
    refund.succeeds()
    refund.shows(amount="30.00", fee="3.00", share="27.00")
    sale.line(1).shows(amount="0.00", left="0.00")
    sale.line(2).shows(fee_left="0.00", share_left="0.00")


def test_rf_05_a_refund_is_not_compared_with_what_the_teacher_has(world):
    """opencollective/opencollective#7969: refused, though the platform's part does not come from the teacher."""
    world.sell("5.56")
    sale = world.sell("100.00")
    world.shows(A="95.00", fees="10.56")
    sale.refund().succeeds()
    world.shows(A="5.00", fees="0.56")
    sale.shows(refunded="100.00")


def test_rf_07_stripes_lost_fee_is_the_platforms(world):
    """opencollective/opencollective#5219: who bore the fee of a refunded payment changed from case to case."""
    sale = world.sell("100.00", stripe_fee="2.90")
    sale.refund().succeeds()
    world.shows(A="0.00", fees="0.00", costs="2.90", platform="-2.90")
    sale.shows(refunded="100.00")


def test_rf_08_a_credit_costs_no_fee_of_its_own(world):
    """openfoodfoundation/openfoodnetwork#3490: the fee on a payment was taken again from money that went back."""
    sale = world.sell("50.00", "20.00")
    refund = sale.refund(line=2)
    refund.succeeds()
    refund.shows(amount="20.00", fee="2.00", share="18.00")
    world.shows(A="45.00", platform="5.00")
    sale.shows(refunded="20.00")


def test_rf_11_an_old_refund_is_never_forgotten(world):
    """alphagov/pay-connector#2557: a partial refund that had moved to the archive no longer counted."""
    sale = world.sell("100.00")
    sale.refund("60.00").succeeds()
    world.old_records_are_archived()
    with pytest.raises(Refused):
        sale.refund("50.00")
    sale.refund("40.00").succeeds()
    world.shows(A="0.00", platform="0.00")
    sale.shows(refunded="100.00", refundable="0.00")


def test_rf_12_refunds_add_up(world):
    """pay-rails/pay#625: the second refund replaced the stored total."""
    sale = world.sell("30.00")
    sale.refund("10.00").succeeds()
    sale.refund("10.00").succeeds()
    sale.shows(refunded="20.00", refundable="10.00")
    sale.line(1).shows(fee_left="1.00", share_left="9.00")
    with pytest.raises(Refused):
        sale.refund("15.00")
    world.shows(A="9.00", platform="1.00")


def test_rf_14_pending_refunds_count_against_what_is_left(world):
    """saleor/saleor-dashboard#4493: the most that could be refunded was shown as a negative number."""
    sale = world.sell("42.16")
    sale.refund("10.00").succeeds()
    pending = sale.refund("31.75")
    pending.stays_pending()
    sale.shows(refundable="0.41")
    pending.succeeds()
    sale.line(1).shows(left="0.41", fee_left="0.04", share_left="0.37")
    sale.refund().shows(amount="0.41")


def test_rf_15_a_refund_made_at_stripe_reaches_the_books_once(world):
    """Sylius/StripePlugin#101: a refund in the Dashboard never reached the shop."""
    sale = world.sell("50.00", "20.00", "30.00", teachers="ABC")
    refund = sale.refund_at_stripe("30.00")
    refund.succeeds()
    refund.is_allocated_as_proposed()
    for line, (amount, fee, share) in enumerate(
        [("15.00", "1.50", "13.50"), ("6.00", "0.60", "5.40"), ("9.00", "0.90", "8.10")], start=1
    ):
        refund.part(line).shows(amount=amount, fee=fee, share=share)
    world.shows(A="31.50", B="12.60", C="18.90", platform="7.00")
    sale.shows(refunds=1, refunded="30.00", refundable="70.00")


def test_rf_17_a_pending_refund_has_not_reached_the_buyer(world):
    """Automattic/woocommerce-payments#1195: shown as refunded while the buyer had nothing."""
    sale = world.sell("80.00")
    refund = sale.refund()
    refund.stays_pending()
    refund.shows(state="pending")
    sale.shows(refunded="0.00", refundable="0.00")
    world.shows(A="72.00", platform="8.00")
    refund.succeeds()
    refund.shows(fee="8.00", share="72.00")
    world.shows(A="0.00", platform="0.00")
    sale.shows(refunded="80.00")


def test_rf_17_one_that_fails_instead_leaves_everything_as_it_was(world):
    """The same thread: the other end of the pending refund."""
    sale = world.sell("80.00")
    refund = sale.refund()
    refund.stays_pending()
    refund.fails()
    world.shows(A="72.00", platform="8.00")
    sale.shows(refunded="0.00", refundable="80.00")


def test_rf_18_no_part_of_a_refund_is_negative_or_more_than_came_in(world):
    """pretix/pretix#6579: 70.00 and -10.00 made a refund of 60.00. There two ways of paying, here two lines."""
    sale = world.sell("60.00", "40.00")
    with pytest.raises(Refused):
        sale.refund(parts={1: "70.00", 2: "-10.00"})
    with pytest.raises(Refused):
        sale.refund(parts={1: "60.00", 2: "-10.00"})
    sale.shows(refunds=0, refunded="0.00", refundable="100.00")
    world.shows(A="90.00", platform="10.00")
