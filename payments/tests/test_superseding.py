"""Changing a cart closes the payment page that was opened for it; viewing the cart does not."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import PASSWORD, UserFactory
from jobs.runner import drain
from money import Money
from payments import sessions
from payments.cart import change_currency, change_quantity, remove_line, restore_cart
from payments.models import Cart, Order, Payment
from payments.settlement import settle_payment
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_checkout import press_pay, signed_in

pytestmark = pytest.mark.django_db


def opened(stripe_sandbox, *references, **options):
    """A cart with its payment page open at Stripe."""
    cart = cart_with(*(references or [sample_offer(Money(2500, "GBP"), Money(2900, "EUR"))]), **options)
    client = signed_in(cart.user)
    press_pay(client, cart)
    return cart, client, Payment.objects.get()


def line_of(cart):
    return cart.lines.first().pk


def empty(cart):
    remove_line(cart=cart, line_id=line_of(cart))


def more(cart):
    change_quantity(cart=cart, line_id=line_of(cart), quantity=2)


def in_euros(cart):
    assert change_currency(cart=cart, currency="EUR")


def add_another(cart):
    signed_in(cart.user).post("/cart/add/", {"domain": "sample", "reference": sample_offer()})


def sign_in_with_a_guests_cart(cart):
    guest = Client()
    guest.post("/cart/add/", {"domain": "sample", "reference": sample_offer()})
    guest.post("/accounts/login/", {"login": cart.user.email, "password": PASSWORD})


@pytest.mark.parametrize("change", [empty, more, in_euros, add_another, sign_in_with_a_guests_cart])
def test_the_page_of_a_changed_cart_is_closed_at_stripe(stripe_sandbox, change):
    cart, _, payment = opened(stripe_sandbox)
    change(cart)
    drain(Payment, seconds=10)
    assert stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")["status"] == "expired"
    payment.refresh_from_db()
    assert (payment.status, payment.order.state) == ("expired", "cancelled")
    assert sum(count for (call, _), count in SAMPLE.calls.items() if call == "release") == 1


def look_at_the_cart(cart):
    signed_in(cart.user).get("/cart/")


def add_the_same(cart):
    line = cart.lines.get()
    signed_in(cart.user).post("/cart/add/", {"domain": "sample", "reference": line.reference, "quantity": 1})


def set_the_same_quantity(cart):
    change_quantity(cart=cart, line_id=line_of(cart), quantity=1)


def get_a_refused_orders_things_back(cart):
    other = open_order(sample_offer(), user=UserFactory()).order
    Order.objects.filter(pk=other.pk).update(user=cart.user)
    other.user = cart.user
    restore_cart(other)


@pytest.mark.parametrize(
    "look", [look_at_the_cart, add_the_same, set_the_same_quantity, get_a_refused_orders_things_back]
)
def test_a_cart_that_is_not_changed_keeps_its_page(stripe_sandbox, look):
    cart, _, payment = opened(stripe_sandbox)
    look(cart)
    drain(Payment, seconds=10)
    assert stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")["status"] == "open"
    assert Payment.objects.get(pk=payment.pk).close_requested_at is None


def test_until_the_page_is_closed_the_cart_says_that_it_can_be_paid(stripe_sandbox):
    cart, client, payment = opened(stripe_sandbox)
    stripe_sandbox.fault("server_error", path="/v1/*", count=20)
    empty(cart)
    drain(Payment, seconds=5)
    page = client.get("/cart/").content.decode()
    assert payment.order.number in page
    assert "Until then it can still be paid" in page
    stripe_sandbox.switch("faults", clear=True)
    Payment.objects.filter(state="waiting").update(run_after=timezone.now())
    drain(Payment, seconds=10)
    assert "can still be paid" not in client.get("/cart/").content.decode()


def test_a_page_paid_before_it_could_be_closed_is_delivered(stripe_sandbox):
    cart, _, payment = opened(stripe_sandbox)
    stripe_sandbox.pay(payment.stripe_session_id)
    empty(cart)
    drain(Payment, seconds=10)
    payment.refresh_from_db()
    assert (payment.status, payment.order.state, payment.state) == ("succeeded", "completed", "done")


def test_paying_for_the_changed_cart_at_once_closes_the_old_page_first(stripe_sandbox):
    cart, client, payment = opened(stripe_sandbox)
    more(cart)
    assert press_pay(client, cart).status_code == 302
    assert stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")["status"] == "expired"
    new = Payment.objects.exclude(pk=payment.pk).get()
    assert new.amount == Money(5000, "GBP")
    drain(Payment, seconds=10)
    assert stripe_sandbox.get(f"checkout/sessions/{new.stripe_session_id}")["status"] == "open"


def test_a_change_that_is_undone_still_needs_another_page(stripe_sandbox):
    cart, client, payment = opened(stripe_sandbox)
    more(cart)
    change_quantity(cart=cart, line_id=line_of(cart), quantity=1)
    press_pay(client, cart)
    assert Payment.objects.exclude(pk=payment.pk).get().status == "open"


def test_a_page_that_opens_while_the_cart_is_emptied_is_still_closed(stripe_sandbox):
    """The request that opens the page stores Stripe's answer after the student has emptied the cart in another tab."""
    cart = cart_with(sample_offer())
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get()
    empty(cart)
    sessions.open_session(payment.pk)
    drain(Payment, seconds=10)
    payment.refresh_from_db()
    assert (payment.status, payment.order.state) == ("expired", "cancelled")
    assert stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")["status"] == "expired"


@pytest.mark.django_db(transaction=True)
def test_changing_a_cart_and_settling_its_order_never_deadlock():
    """Both lock the payment's row and the cart's lines."""
    payments = [open_order(sample_offer(), sample_offer()) for _ in range(8)]

    def run(work):
        try:
            return work()
        finally:
            connections.close_all()

    jobs = []
    for payment in payments:
        cart = Cart.objects.get(user=payment.order.user)
        jobs.append(lambda cart=cart: empty(cart))
        jobs.append(lambda payment=payment: settle_payment(evidence_for(payment)))
    with ThreadPoolExecutor(4) as both:
        list(both.map(run, jobs))
    assert set(Order.objects.values_list("state", flat=True)) == {"completed"}


def test_a_change_that_fails_closes_nothing():
    payment = open_order(sample_offer())
    cart = Cart.objects.get(user=payment.order.user)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        fail_after(cart)
    assert Payment.objects.get().close_requested_at is None


def fail_after(cart):
    empty(cart)
    raise ZeroDivisionError
