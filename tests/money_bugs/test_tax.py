"""Tax within the price: TR-01 to TR-03."""


def test_tr_01_net_and_tax_are_the_price_at_once(world):
    """pretix/pretix#5861: net and tax were a cent off until they were computed a second time."""
    sale = world.sell("34.00", "34.00", "2.07", tax="7")
    sale.shows(paid="70.07", tax="4.58")
    sale.pays()
    sale.shows(paid="70.07", tax="4.58")


def test_tr_02_two_cost_twice_as_much_as_one(world):
    """HiEventsDev/Hi.Events#128: two lessons at 25.00 cost 50.01, since the tax was added to a rounded net price."""
    sale = world.sell("25.00", quantity=2, tax="10")
    sale.shows(paid="50.00", charged=5000, tax="4.55")
    sale.line(1).shows(fee="5.00", share="45.00")


def test_tr_03_a_refund_gives_the_tax_back(world):
    """opencollective/opencollective#5438: refunds had no tax, so the month's report kept the tax of the sale."""
    sale = world.sell("120.00", tax="20")
    sale.shows(tax="20.00")
    sale.refund().succeeds()
    sale.shows(tax="0.00", refunded="120.00")
    world.shows(A="0.00", platform="0.00")


def test_tr_03_a_refund_gives_back_a_tax_on_top(world):
    """The other end of the same thread: the tax was charged on top of the price."""
    sale = world.sell("100.00", tax="20", on_top=True)
    sale.shows(paid="120.00", charged=12000, tax="20.00")
    world.shows(A="90.00", platform="10.00", tax_payable="20.00")
    sale.refund().succeeds()
    sale.shows(tax="0.00", refunded="120.00")
    world.shows(A="0.00", platform="0.00", tax_payable="0.00")


def test_tr_04_a_refund_of_price_and_tax_counts_the_tax_once(world):
    """multivendorx/mvx#1010: a refund of 10.00 and 1.00 tax came out as 12.00.

    Here the tax of any refund is in proportion, so 11.00 of 106.00 hold 0.62 of the 6.00.
    """
    sale = world.sell("100.00", tax="6", on_top=True)
    sale.refund("11.00").succeeds()
    sale.shows(refunded="11.00", refundable="95.00", tax="5.38")
    world.shows(A="80.66", platform="8.96", tax_payable="5.38")


def test_tr_05_a_whole_refund_reverses_all_of_fee_and_share(world):
    """polarsource/polar#4877: the tax was taken off twice before the split, so only a part was reversed."""
    sale = world.sell("100.00", tax="20", on_top=True)
    sale.line(1).shows(amount="120.00", fee="10.00", share="90.00")
    sale.refund("120.00").succeeds()
    sale.line(1).shows(fee_left="0.00", share_left="0.00", left="0.00")
    world.shows(A="0.00", platform="0.00", tax_payable="0.00")
