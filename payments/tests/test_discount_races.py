"""Limits of codes under load: real connections, all at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from accounts.models import User
from accounts.tests.factories import UserFactory
from jobs.invariants import broken, installed_invariants
from money import Money
from payments.checkout import CartChanged, CartEmpty, _prepare
from payments.discounts.holds import CodeNotUsable, hold_redemptions
from payments.models import Cart, CartDiscount, CartLine, DiscountCode, Order, Payment, Redemption
from payments.orders import cancel_order
from payments.pricing import price_cart
from payments.tests.discount_factories import code_of, discounted_cart, prepare
from payments.tests.factories import paid_order, sample_offer
from payments.tests.races import outcome_of

pytestmark = pytest.mark.django_db(transaction=True)

CONNECTIONS = 40


def in_parallel(action, things):
    """The outcomes of an action on each thing, on as many connections as there are."""

    def act(thing):
        try:
            return outcome_of(lambda: action(thing))
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(act, things))


def crowd_of(number, code):
    """Carts of as many students with the same item and code."""
    reference = sample_offer(Money(2000, "GBP"), places=100)
    users = User.objects.bulk_create(User(email=f"student-{each}@example.org") for each in range(number))
    carts = Cart.objects.bulk_create(Cart(user=user, currency="GBP") for user in users)
    CartLine.objects.bulk_create(
        CartLine(cart=cart, domain="sample", reference=reference, seen_unit_minor=2000) for cart in carts
    )
    CartDiscount.objects.bulk_create(CartDiscount(cart=cart, code=code) for cart in carts)
    return carts


def counted(code):
    return DiscountCode.objects.get(pk=code.pk).used


def test_a_limit_of_a_hundred_holds_under_five_hundred_checkouts_and_what_is_abandoned_comes_back():
    code = code_of(percent=10, total_limit=100)
    carts = crowd_of(500, code)
    digest_of = {cart.pk: price_cart(cart).digest for cart in carts}

    def check_out(cart):
        return _prepare(user=cart.user, cart=cart, agreed_digest=digest_of[cart.pk])

    outcomes = in_parallel(check_out, carts)
    assert {type(each) for each in outcomes if isinstance(each, Exception)} == {CartChanged}
    assert (counted(code), Redemption.objects.count(), Order.objects.filter(discount_minor=200).count()) == (100,) * 3
    some = Order.objects.order_by("pk")[:30]
    in_parallel(
        lambda order: cancel_order(order_id=order.pk, reason="left", payment_status=Payment.Status.EXPIRED), some
    )
    assert counted(code) == 70
    late = [cart for cart in carts if not cart.orders.exists()][:60]
    in_parallel(check_out, late)
    assert counted(code) == 100
    assert broken(installed_invariants()) == {}


def test_one_use_of_a_student_holds_over_twenty_tabs():
    """The tabs share a cart; the API and a second cart are other ways in, and meet the same row."""
    code = code_of(percent=100, student_limit=1)
    cart = discounted_cart(2000, codes=[code])
    outcomes = in_parallel(lambda _: prepare(Cart.objects.get(pk=cart.pk)), range(20))
    assert counted(code) == 1
    assert Order.objects.filter(discount_minor__gt=0).count() == 1
    assert all(not isinstance(each, Exception) or isinstance(each, CartEmpty) for each in outcomes)


def test_one_use_of_a_student_holds_over_orders_of_their_own():
    """Without the cart's lock, which makes tabs wait for each other: only the code's row is between these."""
    code = code_of(percent=10, student_limit=1)
    user = UserFactory()
    applied = price_cart(discounted_cart(2000, codes=[code])).codes
    orders = []
    for _ in range(20):
        orders.append(paid_order(2000, user=user).order)
        Payment.objects.update(created_at="2000-01-01T00:00Z")  # ten within a minute are the most

    def hold(order):
        with transaction.atomic():
            hold_redemptions(order, applied)

    outcomes = in_parallel(hold, orders)
    assert Redemption.objects.filter(code=code).count() == counted(code) == 1
    assert [type(each) for each in outcomes if each is not None] == [CodeNotUsable] * 19


def test_the_last_use_goes_to_one_of_two_who_agreed_to_it():
    code = code_of(percent=10, total_limit=1)
    carts = crowd_of(2, code)
    digests = {cart.pk: price_cart(cart).digest for cart in carts}
    outcomes = in_parallel(lambda cart: _prepare(user=cart.user, cart=cart, agreed_digest=digests[cart.pk]), carts)
    assert sum(isinstance(each, CartChanged) for each in outcomes) == 1
    assert Order.objects.get().total_minor == 1800
