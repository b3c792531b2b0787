"""One cart for everything: guests and users, one currency, merged on sign-in, prices from the server."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import PASSWORD, UserFactory
from money import Money
from payments.cart import add_to_cart, merge_guest_cart, restore_cart
from payments.contracts import Item
from payments.models import Cart, CartLine
from payments.tests.factories import cart_with, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def add(client, reference, **changes):
    return client.post("/cart/add/", {"domain": "sample", "reference": reference, **changes})


def sign_in(client, user):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def test_a_guest_fills_a_cart_and_sees_it():
    client = Client()
    reference = sample_offer(Money(2500, "GBP"))
    assert add(client, reference, quantity=2).url == "/cart/"
    page = client.get("/cart/").content.decode()
    assert f"Sample {reference}" in page
    assert "£50.00" in page
    assert "Create an account" in page


def test_signing_in_moves_the_guests_lines_to_the_users_cart():
    client, user = Client(), UserFactory()
    old = cart_with(sample_offer(), user=user)
    reference = sample_offer()
    add(client, reference, quantity=3)
    sign_in(client, user)
    assert set(old.lines.values_list("quantity", flat=True)) == {1, 3}
    assert Cart.objects.count() == 1


def test_the_guests_line_replaces_the_users_line_of_the_same_item():
    client, user = Client(), UserFactory()
    reference = sample_offer()
    cart = cart_with(reference, user=user)
    add(client, reference, quantity=4)
    sign_in(client, user)
    assert cart.lines.get().quantity == 4


def test_a_line_without_a_price_in_the_users_currency_is_not_moved_with_a_message():
    client, user = Client(), UserFactory()
    cart_with(sample_offer(Money(100, "GBP")), user=user)
    add(client, sample_offer(Money(1000, "JPY")))
    sign_in(client, user)
    assert user.cart.lines.count() == 1
    assert "This could not be moved" in client.get("/cart/").content.decode()


def test_two_guests_do_not_share_a_cart():
    first, second = Client(), Client()
    reference = sample_offer()
    add(first, reference)
    assert f"Sample {reference}" not in second.get("/cart/").content.decode()


def test_a_cart_has_one_currency_and_says_so_clearly():
    client = Client()
    add(client, sample_offer(Money(100, "GBP")))
    add(client, sample_offer(Money(1000, "JPY")))
    assert CartLine.objects.count() == 1
    assert "Your cart is in GBP" in client.get("/cart/").content.decode()


def test_an_emptied_cart_takes_another_currency():
    client = Client()
    add(client, sample_offer(Money(100, "GBP")))
    client.post(f"/cart/lines/{CartLine.objects.get().pk}/", {"quantity": 0})
    add(client, sample_offer(Money(1000, "JPY")))
    assert Cart.objects.get().currency == "JPY"


def test_a_changed_price_is_pointed_out_once():
    client = Client()
    reference = sample_offer(Money(2500, "GBP"))
    add(client, reference)
    SAMPLE.offer(reference, prices=[Money(2600, "GBP")])
    assert "Prices have changed" in client.get("/cart/").content.decode()
    assert "Prices have changed" not in client.get("/cart/").content.decode()


def test_a_withdrawn_item_is_named_and_prevents_payment_of_the_cart():
    client = Client()
    reference = sample_offer()
    add(client, reference)
    del SAMPLE.prices[reference]
    page = client.get("/cart/").content.decode()
    assert "This is withdrawn." in page
    assert "Change or remove it" in page


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"domain": "sample"},
        {"domain": "nowhere", "reference": "1"},
        {"domain": "sample", "reference": "x" * 65},
        {"domain": "sample", "reference": "\x00"},
        {"domain": "sample", "reference": "1", "quantity": "-1"},
        {"domain": "sample", "reference": "1", "quantity": "1e9"},
        {"domain": "sample", "reference": "1", "quantity": "9" * 40},
        {"domain": "sample", "reference": "1", "details": "{"},
        {"domain": "sample", "reference": "1", "details": "[]"},
        {"domain": "sample", "reference": "1", "details": "[" * 5000},
        {"domain": "sample", "reference": "1", "details": json.dumps({"a": "\x00"})},
        {"domain": "sample", "reference": "1", "details": '{"a": NaN}'},
        {"domain": "sample", "reference": "1", "details": '{"a": 1e999}'},
        {"domain": "sample", "reference": "1", "details": r'{"a": "\ud800"}'},
        {"domain": "sample", "reference": "1", "details": r'{"\udfff": 1}'},
        {"domain": "sample", "reference": "1", "details": '{"a":' * 905 + "1" + "}" * 905},
        {"domain": "sample", "reference": "1", "details": '{"a": ' + "9" * 5000 + "}"},
        {"domain": "sample", "reference": "1", "details": json.dumps({"a": "x" * 20_000})},
    ],
)
def test_hostile_posts_are_refused_and_put_nothing_in(posted):
    sample_offer()
    assert Client().post("/cart/add/", posted).status_code == 400
    assert not CartLine.objects.exists()


def test_more_than_is_available_cannot_be_added():
    client = Client()
    add(client, sample_offer(places=2), quantity=3)
    assert not CartLine.objects.exists()
    assert "between 1 and 2" in client.get("/cart/").content.decode()


@pytest.mark.parametrize("quantity", ["", "x", "-1", "101", "9" * 30, "\x00"])
def test_a_hostile_quantity_changes_nothing(quantity):
    client = Client()
    add(client, sample_offer())
    client.post(f"/cart/lines/{CartLine.objects.get().pk}/", {"quantity": quantity})
    assert CartLine.objects.get().quantity == 1


def test_another_persons_line_is_a_404():
    cart = cart_with(sample_offer())
    stranger = Client()
    add(stranger, sample_offer())
    line_id = cart.lines.get().pk
    assert stranger.post(f"/cart/lines/{line_id}/", {"quantity": 5}).status_code == 404
    assert stranger.post(f"/cart/lines/{2**70}/", {"quantity": 5}).status_code == 404
    assert Client().post(f"/cart/lines/{line_id}/", {"quantity": 0}).status_code == 404
    assert cart.lines.get().quantity == 1


@pytest.mark.parametrize("path", ["/cart/add/", "/checkout/", "/cart/lines/1/"])
def test_get_requests_and_posts_without_a_token_change_nothing(path):
    assert Client().get(path).status_code == 405
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403


def test_a_cart_holds_thirty_different_things():
    client, user = Client(), UserFactory()
    client.force_login(user)
    cart_with(*[sample_offer() for _ in range(30)], user=user)
    add(client, sample_offer())
    assert user.cart.lines.count() == 30


def test_the_cart_page_takes_the_same_number_of_queries_for_1_and_20_lines():
    counts = []
    for lines in (1, 20):
        user = UserFactory()
        cart_with(*[sample_offer() for _ in range(lines)], user=user)
        client = Client()
        client.force_login(user)
        client.get("/cart/")
        SAMPLE.quote_calls = 0
        with CaptureQueriesContext(connection) as queries:
            client.get("/cart/")
        counts.append((len(queries), SAMPLE.quote_calls))
    assert counts[0] == counts[1]


def test_recording_changed_prices_takes_the_same_number_of_queries_for_1_and_20_lines():
    counts = []
    for lines in (1, 20):
        user = UserFactory()
        references = [sample_offer(Money(2500, "GBP")) for _ in range(lines)]
        cart_with(*references, user=user)
        client = Client()
        client.force_login(user)
        client.get("/cart/")
        for reference in references:
            SAMPLE.offer(reference, prices=[Money(2600, "GBP")])
        with CaptureQueriesContext(connection) as queries:
            client.get("/cart/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert set(CartLine.objects.values_list("seen_unit_minor", flat=True)) == {2600}


def test_a_program_fills_a_cart_without_a_request():
    user = UserFactory()
    reference = sample_offer(Money(100, "GBP"), Money(120, "EUR"))
    line = add_to_cart(Item(domain="sample", reference=reference), buyer_id=user.pk, cart=None, currency="EUR")
    assert (line.cart.user, line.cart.currency, line.seen_unit_minor) == (user, "EUR", 120)


@pytest.mark.parametrize("currency", ["EUR", "GBP"])
def test_the_cart_is_in_the_currency_chosen_on_any_page(currency):
    client = Client()
    client.post("/browse/currency/", {"currency": currency})
    add(client, sample_offer(Money(100, "GBP"), Money(120, "EUR")))
    assert Cart.objects.get().currency == currency


def test_a_guests_refused_posts_leave_neither_cart_nor_session():
    client = Client()
    add(client, "withdrawn long ago")
    add(client, sample_offer(places=0))
    assert not Cart.objects.exists()
    assert not Session.objects.exists()


def test_one_address_can_start_a_limited_number_of_guest_carts(settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"guest_cart": "2/h/ip"}
    reference = sample_offer()
    guests = [Client() for _ in range(3)]
    for guest in guests:
        add(guest, reference)
    assert Cart.objects.count() == 2
    assert "Too many carts" in guests[2].get("/cart/").content.decode()
    add(guests[0], sample_offer())
    assert CartLine.objects.count() == 3


def test_merging_respects_the_maximum_number_of_lines():
    client, user = Client(), UserFactory()
    cart_with(*[sample_offer() for _ in range(29)], user=user)
    for _ in range(2):
        add(client, sample_offer())
    sign_in(client, user)
    assert user.cart.lines.count() == 30
    assert "could not be moved into your cart: “Sample" in client.get("/cart/").content.decode()


def test_restoring_respects_the_maximum_number_of_lines():
    order = open_order(*[sample_offer() for _ in range(5)]).order
    order.user.cart.lines.all().delete()
    cart_with(*[sample_offer() for _ in range(28)], user=order.user)
    restore_cart(order)
    assert order.user.cart.lines.count() == 30


def test_a_withdrawn_item_keeps_its_title():
    client = Client()
    reference = sample_offer()
    add(client, reference)
    del SAMPLE.prices[reference]
    assert f"Sample {reference}" in client.get("/cart/").content.decode()


def test_the_cart_follows_the_currency_chosen_on_any_page():
    client = Client()
    add(client, sample_offer(Money(100, "GBP"), Money(120, "EUR")))
    client.post("/browse/currency/", {"currency": "EUR"})
    page = client.get("/cart/").content.decode()
    assert "€1.20" in page
    assert "Prices have changed" not in page


def test_a_cart_that_cannot_change_currency_keeps_it_and_says_so():
    client = Client()
    add(client, sample_offer(Money(100, "GBP"), Money(120, "EUR")))
    add(client, sample_offer(Money(300, "GBP")))
    client.post("/browse/currency/", {"currency": "EUR"})
    page = client.get("/cart/").content.decode()
    assert "the cart stays in GBP" in page
    assert "£4.00" in page


def test_adding_again_without_details_keeps_the_existing_ones():
    client = Client()
    reference = sample_offer()
    add(client, reference, details='{"colour": "red"}')
    add(client, reference, quantity=3)
    assert CartLine.objects.values_list("quantity", "details").get() == (3, {"colour": "red"})


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_sign_in_at_once_merge_the_guests_cart_once():
    guest_client, user = Client(), UserFactory()
    add(guest_client, sample_offer(), quantity=2)
    guests = [Cart.objects.get(user=None) for _ in range(2)]

    def merge(guest):
        try:
            return merge_guest_cart(guest=guest, buyer_id=user.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as tabs:
        assert list(tabs.map(merge, guests)) == [[], []]
    assert CartLine.objects.get().quantity == 2
    assert Cart.objects.get().user == user
