"""The payment page expires, the payment completes and another buyer checks out at the same moment, as whole orders."""

import itertools
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.tests.factories import UserFactory
from notifications.models import Mail
from payments.checkout import CartChanged, _prepare
from payments.models import Cart, CartLine, Order, OrderLine, Payment, Refund
from payments.orders import LineSoldOut, cancel_order
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for
from workshops.models import Registration
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db(transaction=True)


def cart_for(workshop):
    cart = Cart.objects.create(user=UserFactory(), currency="GBP")
    CartLine.objects.create(cart=cart, domain="workshops", reference=str(workshop.pk), seen_unit_minor=4500)
    return cart


def check_out(cart, digest):
    prepared = _prepare(user=cart.user, cart=cart, agreed_digest=digest)
    Payment.objects.filter(pk=prepared.payment_id).update(
        stripe_session_id=f"cs_test_{uuid.uuid4().hex}", status=Payment.Status.OPEN
    )
    return Payment.objects.get(pk=prepared.payment_id)


def at_once(*actions):
    """Start all actions at the same moment, each on its own connection; return what each returned or raised."""
    shot = threading.Barrier(len(actions))

    def run(action):
        try:
            connections["default"].ensure_connection()
            shot.wait(timeout=20)
            return action()
        except (CartChanged, LineSoldOut) as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


ORDERS = list(itertools.permutations(range(3)))


@pytest.mark.parametrize("order_of_start", ORDERS * 2)
def test_the_payer_gets_the_place_or_a_refund_and_no_place_is_sold_twice(order_of_start):
    workshop = make_workshop(capacity=1)
    paying, waiting = cart_for(workshop), cart_for(workshop)
    digest = price_cart(waiting).digest
    payment = check_out(paying, price_cart(paying).digest)
    # The hold has lapsed, so the first buyer to take the place gets it.
    Registration.objects.update(held_until=timezone.now() - timedelta(milliseconds=1))
    actions = [
        lambda: settle_payment(evidence_for(payment)),
        lambda: cancel_order(order_id=payment.order_id, reason="Expired.", payment_status=Payment.Status.EXPIRED),
        lambda: check_out(waiting, digest),
    ]
    outcomes = dict(zip(order_of_start, at_once(*(actions[position] for position in order_of_start)), strict=True))
    order = Order.objects.get(pk=payment.order_id)
    line = order.lines.get()
    live = Registration.objects.live().get()
    assert order.is_paid
    if line.state == OrderLine.State.FULFILLED:
        assert (live.order_line_id, live.state) == (line.pk, Registration.State.CONFIRMED)
        assert not Refund.objects.exists()
        # The place was taken while the cart was being ordered, or before it was priced.
        assert isinstance(outcomes[2], (CartChanged, LineSoldOut))
        assert not price_cart(waiting).is_buyable
    else:
        assert line.state == OrderLine.State.UNDELIVERABLE
        assert live.order_line_id == outcomes[2].order.lines.get().pk
        assert [refund.amount for refund in Refund.objects.all()] == [line.amount]
        assert Mail.objects.filter(template="payments/mail/cannot_deliver").count() == 1
