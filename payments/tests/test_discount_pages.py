"""The cart's field for codes, and the endpoint that tries them."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from money import Money
from payments.cart import remove_line
from payments.models import Cart
from payments.pricing import price_cart
from payments.tests.discount_factories import code_of, discounted_cart
from payments.tests.factories import cart_with, client_of, sample_offer
from payments.tests.test_api import is_as_documented as is_documented_get
from payments.tests.test_checkout import press_pay

pytestmark = pytest.mark.django_db

CART = "/cart/"
ENDPOINT = "/api/payments/validate-discount"


def shopping(*prices, **terms):
    cart = discounted_cart(*(prices or (1000,)), **terms)
    return client_of(cart.user), cart


def enter(client, code):
    return client.post(reverse("payments:cart_code"), {"code": code}, follow=True)


def page_of(response):
    return " ".join(response.content.decode().split())


class TestCart:
    def test_an_emptied_cart_keeps_its_code_and_is_shown(self):
        """It has no currency any more, in which the code could take something off."""
        client, cart = shopping(1000, codes=[code_of(percent=10, code="SPRING")])
        remove_line(cart=cart, line_id=cart.lines.get().pk)
        assert "Your cart is empty" in page_of(client.get(CART))
        assert client.get("/api/v1/cart").json()["lines"] == []
        answer = client.post(ENDPOINT, {"code": "SPRING"}, content_type="application/json")
        assert answer.status_code == 422

    def test_a_code_shows_its_effect_for_each_line_and_in_total_and_can_be_removed(self):
        client, cart = shopping(600, 400)
        code = code_of(percent=10, code="SPRING")
        page = page_of(enter(client, "spring"))
        for text in ("SPRING takes £1.00 off.", "−£1.00", "£5.40", "£3.60", "£9.00", "Before discounts"):
            assert text in page
        removed = client.post(reverse("payments:cart_code_remove", args=[code.pk]), follow=True)
        assert "Before discounts" not in page_of(removed)
        assert not cart.discounts.exists()

    def test_a_refused_code_says_why_and_is_not_kept(self):
        client, cart = shopping(1000)
        code = code_of(percent=10, least=[Money(5000, "GBP")])
        assert "This code needs £50.00" in page_of(enter(client, code.code))
        assert "We do not know this code" in page_of(enter(client, "nothing"))
        assert not cart.discounts.exists()

    def test_a_code_that_lapsed_is_shown_with_its_reason(self):
        code = code_of(percent=10, is_stackable=True)
        client, _ = shopping(1000, codes=[code])
        code.is_active = False
        code.save()
        page = page_of(client.get(CART))
        assert code.code in page
        assert "This code is no longer valid." in page

    def test_another_persons_cart_and_codes_that_are_not_there_are_not_found(self):
        code = code_of(percent=10)
        _, cart = shopping(1000, codes=[code])
        stranger, _ = shopping(1000)
        for number in (code.pk, 2**63, 0):
            assert stranger.post(f"/cart/codes/{number}/remove/").status_code == 404
        assert cart.discounts.exists()
        assert Client().post("/cart/codes/1/remove/").status_code == 404
        assert Client().post("/cart/codes/", {"code": "x"}).status_code == 302

    def test_guesses_are_limited_and_known_codes_are_not_counted(self, settings):
        settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"discount_code_of_account": "2/h/user"}
        client, _ = shopping(1000)
        code = code_of(percent=10)
        for _ in range(3):
            assert enter(client, code.code).status_code == 200
        assert [enter(client, f"guess{each}").status_code for each in range(3)] == [200, 200, 429]
        assert client.post(ENDPOINT, {"code": "guess"}, content_type="application/json").status_code == 429

    def test_a_free_cart_says_so_and_leads_to_its_order(self):
        client, cart = shopping(1000, codes=[code_of(percent=100)])
        page = page_of(client.get(CART))
        assert "Get it free" in page
        assert "no card is needed" in page
        response = client.post(reverse("payments:checkout"), {"agreed": price_cart(cart).digest}, follow=True)
        assert response.redirect_chain[0][0].startswith("/my/orders/")
        assert response.status_code == 200
        receipt = client.get(response.redirect_chain[0][0] + "receipt.pdf")
        assert receipt.status_code == 200

    def test_the_pay_button_sends_to_a_page_with_the_discounted_total(self, stripe_sandbox):
        client, cart = shopping(1000, codes=[code_of(percent=10)])
        response = press_pay(client, cart)
        assert response.status_code == 302
        assert cart.orders.get().total_minor == 900


def ask(client=None, **body):
    return (client or Client()).post(ENDPOINT, json.dumps(body), content_type="application/json")


def is_as_documented(answer):
    return is_documented_get(answer, ENDPOINT, method="post")


class TestEndpoint:
    def test_a_code_is_tried_on_the_cart_and_nothing_changes(self):
        client, cart = shopping(600, 400)
        code_of(percent=10, code="SPRING")
        answer = ask(client, code="spring")
        assert answer.status_code == 200
        assert is_as_documented(answer)
        body = answer.json()
        assert {name: body[name] for name in ("valid", "code", "currency", "discount", "subtotal", "total")} == {
            "valid": True,
            "code": "SPRING",
            "currency": "GBP",
            "discount": "1.00",
            "subtotal": "10.00",
            "total": "9.00",
        }
        assert [line["discount"] for line in body["lines"]] == ["0.60", "0.40"]
        assert not cart.discounts.exists()

    def test_a_guest_may_try_a_code_on_items(self):
        code = code_of(percent=10)
        reference = sample_offer(Money(1000, "JPY"))
        items = [{"domain": "sample", "reference": reference, "quantity": 2}]
        answer = ask(code=code.code, items=items, currency="JPY")
        assert answer.json()["discount"] == "200"
        assert is_as_documented(answer)
        assert not Cart.objects.exists()

    @pytest.mark.parametrize(
        ("typed", "detail"), [("NOPE", "We do not know this code."), ("OVER", "This code is no longer valid.")]
    )
    def test_a_refusal_is_a_problem_with_the_reason(self, typed, detail):
        code_of(percent=10, code="OVER", is_active=False)
        client = client_of(cart_with(sample_offer()).user)
        answer = ask(client, code=typed)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:lectern:problem:discount-refused")
        assert answer.json()["detail"].startswith(detail)
        assert is_as_documented(answer)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"code": ""},
            {"code": "x" * 201},
            {"code": "x", "items": [{"domain": "none", "reference": "1"}]},
            {"code": "x", "items": "x"},
            {"code": "x", "items": [{"domain": "sample", "reference": "1", "quantity": 0}]},
            {"code": "x", "items": [{"domain": "sample", "reference": "1"}] * 31},
            {"code": "x", "currency": "XXX"},
            {"code": "\0"},
        ],
    )
    def test_bad_input_is_named(self, body):
        answer = ask(**body)
        assert answer.status_code == 400
        assert is_as_documented(answer)

    def test_an_empty_cart_has_nothing_to_take_off(self):
        answer = ask(code=code_of(percent=10).code)
        assert (answer.status_code, answer.json()["detail"]) == (422, "Your cart is empty.")

    @pytest.mark.parametrize("path", ["/payments/validate-discount", "/api/payments/validate-discount/"])
    def test_it_answers_at_its_other_addresses(self, path):
        assert Client().post(path, "{}", content_type="application/json").status_code == 400
