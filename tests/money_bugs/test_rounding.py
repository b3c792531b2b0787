"""Partial refunds and rounding: PR-01 to PR-10."""

import pytest

from tests.money_bugs.world import Refused


def test_pr_01_three_thirds_give_back_exactly_fee_and_share(world):
    """polarsource/polar#13770: both parts of each refund were rounded alone, so one exceeded what it came from."""
    sale = world.sell("10.05")
    sale.line(1).shows(fee="1.01", share="9.04")
    for fee, share in [("0.34", "3.01"), ("0.33", "3.02"), ("0.34", "3.01")]:
        refund = sale.refund("3.35")
        refund.succeeds()
        refund.shows(fee=fee, share=share)
    world.shows(A="0.00", platform="0.00")
    sale.shows(refunded="10.05", refundable="0.00")


def test_pr_02_a_discounted_order_with_tax_is_refunded_to_the_penny(world):
    """woocommerce/woocommerce#64668: tax rounded per line asked for a penny more than was paid."""
    sale = world.sell("23.90", quantity=10, off="59.75")
    sale.shows(paid="179.25")
    refund = sale.refund()
    refund.succeeds()
    refund.shows(amount="179.25", fee="17.93", share="161.32")
    world.shows(A="0.00", platform="0.00")
    sale.shows(refundable="0.00")


def test_pr_03_the_refunds_of_all_lines_are_the_order(world):
    """woocommerce/woocommerce#30263: lines rounded anew made a refund a cent off the order."""
    sale = world.sell("2.10", "2.10")
    for line in (1, 2):
        refund = sale.refund(line=line)
        refund.succeeds()
        refund.shows(amount="2.10", fee="0.21", share="1.89")
    sale.shows(refunded="4.20", refundable="0.00")
    world.shows(A="0.00", platform="0.00")


def test_pr_04_an_amount_over_two_lines_keeps_its_sum(world):
    """spree/spree#14467: halves were rounded up on both lines, so 1.04 was credited."""
    sale = world.sell("1.00", "1.00")
    refund = sale.refund("1.03")
    refund.succeeds()
    refund.part(1).shows(amount="0.52", fee="0.05", share="0.47")
    refund.part(2).shows(amount="0.51", fee="0.05", share="0.46")
    sale.shows(refunded="1.03", refundable="0.97")


def test_pr_05_only_the_fee_is_rounded_and_the_share_is_the_rest(world):
    """getdokan/dokan#3324: both parts were rounded, and together they were a cent off the sale."""
    sale = world.sell("6.45")
    sale.line(1).shows(amount="6.45", fee="0.65", share="5.80")
    world.shows(A="5.80", platform="0.65")


def test_pr_06_the_parts_of_a_bundle_add_up_to_its_price(world):
    """solidusio-contrib/solidus_product_assembly#43: each part was rounded down, and a cent could never go back."""
    sale = world.sell("3.34", quantity=3, off="0.02")
    sale.shows(paid="10.00")
    for amount, fee, share in [("3.33", "0.33", "3.00"), ("3.33", "0.34", "2.99"), ("3.34", "0.33", "3.01")]:
        refund = sale.refund(places=1)
        refund.succeeds()
        refund.shows(amount=amount, fee=fee, share=share)
    sale.shows(refunded="10.00", refundable="0.00")
    world.shows(A="0.00", platform="0.00")


def test_pr_07_the_amount_paid_is_never_more_than_itself(world):
    """ovh/manager#7326: as a floating-point number of cents it exceeded what was available."""
    sale = world.sell("145.05")
    refund = sale.refund("145.05")
    refund.succeeds()
    refund.shows(sent=14505, fee="14.51", share="130.54")
    sale.shows(refundable="0.00")


def test_pr_08_an_overpayment_is_refunded_once_in_whole_pence(world):
    """medusajs/medusa#15530: 2.376 too much could not be refunded, or again and again."""
    sale = world.sell("20.00")
    with pytest.raises(Refused):
        sale.refund("2.376")
    refund = sale.refund("2.38", form="overpaid")
    refund.succeeds()
    with pytest.raises(Refused):
        sale.refund("2.38", form="overpaid")
    refund.shows(fee="0.24", share="2.14")
    sale.line(1).shows(left="17.62", fee_left="1.76", share_left="15.86")
    sale.shows(refunds=1, refunded="2.38")


def test_pr_09_half_the_money_gives_back_half_the_fee(world):
    """mageprince/magento2-paymentfee#32: any refund gave the whole fee back."""
    sale = world.sell("200.00")
    refund = sale.refund("100.00")
    refund.succeeds()
    refund.shows(fee="10.00", share="90.00")
    world.shows(A="90.00", platform="10.00")


def test_pr_10_a_price_has_no_parts_of_a_penny(world):
    """spree/spree#6226: four decimals were kept, so a paid order still claimed a balance."""
    with pytest.raises(Refused):
        world.sell("50.1348")
    sale = world.sell("66.84", off="16.71")
    sale.shows(paid="50.13", due="0.00", charged=5013)
    sale.line(1).shows(amount="50.13", fee="5.01", share="45.12")
