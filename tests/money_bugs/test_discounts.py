"""Discounts that are frozen on the lines at purchase, and who bears them: DV-01 to DV-08."""

from money import Money
from payments.tests.discount_factories import code_of, paid_discounted


def test_dv_01_a_discounted_line_is_refunded_at_what_was_paid(world):
    """solidusio/solidus#512: the full list price was offered back."""
    sale = world.sell("6.00", "4.00", off="1.00")
    sale.shows(paid="9.00")
    refund = sale.refund(line=1)
    refund.succeeds()
    refund.shows(amount="5.40", fee="0.54", share="4.86")
    sale.line(2).shows(left="3.60", fee_left="0.36", share_left="3.24")
    world.shows(A="3.24", platform="0.36")


def test_dv_02_a_refund_leaves_the_discount_of_other_lines_alone(world):
    """vendurehq/vendure#4811: the discount was spread anew over what remained, and too much went back."""
    sale = world.sell("50.00", "20.00", "30.00", off="10.00")
    refund = sale.refund(line=2)
    refund.succeeds()
    refund.shows(amount="18.00", fee="1.80", share="16.20")
    sale.line(1).shows(left="45.00", fee_left="4.50")
    sale.line(3).shows(left="27.00", fee_left="2.70")


def test_dv_03_no_more_goes_back_than_came_in(world):
    """vendurehq/vendure#2762: it tried to refund the coupon as well, and found no payment that large."""
    sale = world.sell("100.00", off="10.00")
    refund = sale.refund()
    refund.succeeds()
    refund.shows(amount="90.00", fee="9.00", share="81.00")
    world.shows(A="0.00", platform="0.00")


def test_dv_04_a_discount_outlives_the_condition_it_was_given_for(world):
    """vendurehq/vendure#1865: with two lessons fewer the discount lapsed, and 60.00 of 70.00 were to go back."""
    sale = world.sell("30.00", quantity=4, off="50.00")
    sale.shows(paid="70.00")
    refund = sale.refund(places=2)
    refund.succeeds()
    refund.shows(amount="35.00", fee="3.50", share="31.50")
    sale.line(1).shows(left="35.00", fee_left="3.50", share_left="31.50")


def test_dv_05_a_voucher_larger_than_the_cart_takes_off_only_what_there_is(lectern):
    """django-oscar/django-oscar#2463: the total was negative."""
    anna = lectern.teacher("A")
    payment = paid_discounted(3000, codes=[code_of(off=[Money(4500, "GBP")], bearer=anna)], teacher=anna)
    assert (payment.order.discount_minor, payment.amount_minor, payment.stripe_session_id) == (3000, 0, None)
    lectern.shows(A="0.00", platform="0.00")


def test_dv_06_a_discount_on_the_order_is_taken_once(world):
    """django-oscar/django-oscar-api#318: the voucher was taken off every line."""
    sale = world.sell("50.00", "20.00", "30.00", off="25.00")
    sale.shows(paid="75.00", charged=7500)
    for line, (amount, fee, share) in enumerate(
        [("37.50", "3.75", "33.75"), ("15.00", "1.50", "13.50"), ("22.50", "2.25", "20.25")], start=1
    ):
        sale.line(line).shows(amount=amount, fee=fee, share=share)
    world.shows(A="67.50", platform="7.50")


def test_dv_07_a_code_of_the_platform_costs_the_platform(lectern):
    """multivendorx/dc-woocommerce-multi-vendor#1073: the vendor got half of the price, not their share of it."""
    anna = lectern.teacher("A")
    payment = paid_discounted(10_000, codes=[code_of(percent=50)], teacher=anna)
    assert payment.amount_minor == 5000
    lectern.shows(A="90.00", platform="-40.00")


def test_dv_07_a_code_of_a_teacher_costs_the_teacher(lectern):
    """The same thread: without that setting the discount is the vendor's, and the fee is of what was paid."""
    anna = lectern.teacher("A")
    paid_discounted(10_000, codes=[code_of(percent=50, bearer=anna)], teacher=anna)
    lectern.shows(A="45.00", platform="5.00")


def test_dv_08_each_teacher_earns_a_share_of_what_was_paid(world):
    """themeum/tutor#1286: earnings knew neither the coupon nor the refund, and showed one course of several."""
    sale = world.sell("50.00", "20.00", "30.00", teachers="ABC", off="10.00")
    world.shows(A="40.50", B="16.20", C="24.30", platform="9.00")
    refund = sale.refund(line=2)
    refund.succeeds()
    refund.shows(amount="18.00", fee="1.80", share="16.20")
    world.shows(A="40.50", B="0.00", C="24.30", platform="7.20")
