"""Amounts that a card cannot be charged: the cart says what is wrong with them before anything is sent to Stripe."""

import pytest
from django.test import Client

from money import Money, limits
from payments.models import Order
from payments.pricing import price_cart
from payments.tests.factories import cart_with, sample_offer
from payments.tests.test_checkout import press_pay, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("price", "quantity", "problem"),
    [
        (Money(29, "GBP"), 1, "The least that can be paid by card is £0.30."),
        (Money(49, "JPY"), 1, "The least that can be paid by card is ¥50."),
        (Money(99_999_999, "GBP"), 2, "The most that can be paid by card at once is £999,999.99."),
        (Money(5124, "KWD"), 5, "Amounts in KWD can be charged in steps of"),
    ],
)
def test_the_cart_says_what_cannot_be_paid_by_card(price, quantity, problem):
    cart = cart_with(sample_offer(price), quantity=quantity)
    client = signed_in(cart.user)
    page = client.get("/cart/").content.decode()
    assert problem in page
    assert "pay-button" not in page
    assert press_pay(client, cart).url == "/cart/"
    assert not Order.objects.exists()


def test_small_prices_can_be_paid_together():
    assert price_cart(cart_with(sample_offer(Money(10, "GBP")), quantity=3)).is_buyable


@pytest.mark.parametrize("price", [Money(30, "GBP"), Money(50, "JPY"), Money(5120, "KWD"), Money(100, "ISK")])
def test_the_minimum_amounts_can_be_paid(stripe_sandbox, price):
    cart = cart_with(sample_offer(price))
    response = press_pay(signed_in(cart.user), cart)
    session = stripe_sandbox.get(f"checkout/sessions/{Order.objects.get().payments.get().stripe_session_id}")
    assert session["amount_total"] == price.minor
    assert response.url == session["url"]


def test_an_amount_that_only_stripe_finds_too_small_is_not_an_outage(stripe_sandbox, monkeypatch):
    """Stripe converts its minimum from the account's currency, so ours may be lower than today's."""
    monkeypatch.setitem(limits._LEAST_MINOR, "GBP", 10)
    cart = cart_with(sample_offer(Money(20, "GBP")))
    client = signed_in(cart.user)
    assert press_pay(client, cart).url == "/cart/"
    assert "cannot be paid by card" in client.get("/cart/").content.decode()
    assert Order.objects.get().state == "cancelled"


def test_guests_see_the_problem_too():
    client = Client()
    client.post("/cart/add/", {"domain": "sample", "reference": sample_offer(Money(29, "GBP"))})
    assert "The least that can be paid by card is £0.30." in client.get("/cart/").content.decode()
