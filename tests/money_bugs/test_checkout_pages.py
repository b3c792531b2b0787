"""One page, one charge: CW-03, CW-05, CW-08, and CU-05 as Stripe receives it."""

import pytest

from money import Money
from payments.cart import remove_line
from payments.models import Order
from payments.sessions import AlreadyPaid
from payments.tests.sample_domain import SAMPLE


def test_cw_03_a_lower_price_is_charged_on_a_new_page(at_stripe):
    """woocommerce/woocommerce-gateway-stripe#4093: the intent of the declined order was used again, with its price."""
    sale = at_stripe.open_sale("18.00")
    assert not sale.pays(method="pm_card_chargeDeclined").ok
    SAMPLE.offer(sale.references[0], prices=[Money(1000, "GBP")])
    sale.payment = sale.begin_checkout()
    assert sale.pays().ok
    at_stripe.works()
    assert at_stripe.received() == 1000
    sale.now().shows(paid="10.00")
    sale.line(1).shows(fee="1.00", share="9.00")
    assert Order.objects.filter(state=Order.State.COMPLETED).count() == 1


def test_cw_05_a_retry_finds_the_payment_that_succeeded(at_stripe):
    """woocommerce/woocommerce-gateway-stripe#3725: the site timed out, and the retry charged again."""
    sale = at_stripe.open_sale("40.00")
    assert sale.pays().ok
    assert sale.begin_checkout() == sale.payment
    assert not sale.pays().ok
    at_stripe.works()
    assert at_stripe.received() == 4000
    at_stripe.shows(A="36.00", fees="4.00")


def test_cw_05_nor_does_a_retry_with_another_cart(at_stripe):
    """The same thread: the buyer comes back to a cart that has changed, so the page would be replaced."""
    sale = at_stripe.open_sale("40.00")
    assert sale.pays().ok
    SAMPLE.offer(sale.references[0], prices=[Money(5000, "GBP")])
    with pytest.raises(AlreadyPaid):
        sale.begin_checkout()
    assert at_stripe.received() == 4000
    at_stripe.shows(A="36.00", fees="4.00")


def test_cw_08_a_line_that_was_dropped_is_not_charged(at_stripe):
    """woocommerce/woocommerce-gateway-stripe#357: the whole authorised amount was captured."""
    sale = at_stripe.open_sale("50.00", "30.00")
    remove_line(cart=sale.cart, line_id=sale.cart.lines.get(reference=sale.references[1]).pk)
    sale.payment, sale.references = sale.begin_checkout(), sale.references[:1]
    assert sale.pays().ok
    at_stripe.works()
    assert at_stripe.received() == 5000
    sale.now().shows(paid="50.00", refunds=0)
    at_stripe.shows(A="45.00", fees="5.00")


def test_cu_05_stripe_receives_whole_yen(at_stripe):
    """The same thread as the other CU-05, stripe/stripe-sfcc-b2c-connector#31, as it looks at Stripe's end."""
    sale = at_stripe.sell("60000", currency="JPY")
    assert at_stripe.received() == 60000
    sale.refund("500")
    at_stripe.works()
    assert sale.refunds_at_stripe() == [500]
    sale.shows(refunded="500", refundable="59500")
    at_stripe.shows(currency="JPY", A="53550", fees="5950")
