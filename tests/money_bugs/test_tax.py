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
