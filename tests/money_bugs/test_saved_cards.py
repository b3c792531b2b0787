"""One cart, one charge, also of a saved card: CW-04, CW-05, CC-06 and CC-08 without a page at Stripe."""

import pytest

from money import Money
from payments.checkout import SavedCard, start_checkout
from payments.models import Order, Payment
from payments.pricing import price_cart
from payments.sessions import AlreadyPaid, close_session
from payments.stripe_api import StripeUnreachable
from payments.tests.card_factories import ASKS, answer_bank, charges_of, save_card
from payments.tests.factories import cart_with, sample_offer
from payments.tests.races import at_once

RETURN = "http://localhost/checkout/return/"


class CardSale:
    """A cart of a teacher's item, and a saved card of its student."""

    def __init__(self, world, price, card="pm_card_visa"):
        self.world = world
        self.cart = cart_with(sample_offer(Money.from_major(price, "GBP"), teacher=world.teacher("A")))
        self.method = save_card(world.sandbox, self.cart.user, card)
        self.agreed = price_cart(self.cart).digest

    def charges(self):
        way = SavedCard(method=self.method, return_url=RETURN)
        return start_checkout(user=self.cart.user, cart=self.cart, agreed_digest=self.agreed, way=way)


def test_cw_04_a_cancelled_card_payment_cannot_succeed_any_more(at_stripe):
    """The same thread as the other CW-04, woocommerce/woocommerce-gateway-stripe#5703: here Stripe refuses it at once."""
    sale = CardSale(at_stripe, "50.00", ASKS)
    payment = sale.charges()
    close_session(payment.pk, reason="Cancelled by the student.")
    answer_bank(payment.session_url)
    at_stripe.works()
    assert charges_of(at_stripe.sandbox) == []
    assert Order.objects.get().state == Order.State.CANCELLED
    at_stripe.shows(A="0.00", fees="0.00")


def test_cw_05_a_retry_with_a_saved_card_finds_the_charge(at_stripe):
    """The same thread as the other CW-05, woocommerce/woocommerce-gateway-stripe#3725."""
    sale = CardSale(at_stripe, "40.00")
    at_stripe.sandbox.fault("drop_reply", path="/v1/payment_intents/*/confirm", count=3)
    with pytest.raises(StripeUnreachable):
        sale.charges()
    assert sale.charges().has_succeeded
    with pytest.raises(AlreadyPaid):
        sale.charges()
    at_stripe.works()
    assert charges_of(at_stripe.sandbox) == [4000]
    at_stripe.shows(A="36.00", fees="4.00")


@pytest.mark.django_db(transaction=True)
def test_cc_06_four_clicks_on_a_saved_card_are_one_charge(at_stripe):
    """The same thread as the other CC-06, Attendize/Attendize#982."""
    sale = CardSale(at_stripe, "25.00")
    at_once(*[sale.charges] * 4)
    at_stripe.works()
    assert (Order.objects.count(), charges_of(at_stripe.sandbox)) == (1, [2500])
    at_stripe.shows(A="22.50", fees="2.50")


@pytest.mark.django_db(transaction=True)
def test_cc_08_a_page_and_a_saved_card_at_once_are_one_charge(at_stripe):
    """The same thread as the other CC-08, Automattic/woocommerce-payments#4358: the page is closed before the charge."""
    sale = CardSale(at_stripe, "45.00")
    page = start_checkout(user=sale.cart.user, cart=sale.cart, agreed_digest=sale.agreed)
    at_once(lambda: at_stripe.sandbox.pay(page.stripe_session_id), sale.charges)
    at_stripe.works()
    assert charges_of(at_stripe.sandbox) == [4500]
    assert Payment.objects.filter(status="succeeded").count() == 1
    at_stripe.shows(A="40.50", fees="4.50")
