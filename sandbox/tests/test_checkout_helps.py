"""Checkout's page beside its form: the shop, the product, and test cards that fill in the form."""

import re
from html import unescape

import pytest

from sandbox.payments.published_accounts import IBANS, US_ACCOUNTS
from sandbox.tests.connected import enabled
from sandbox.tests.pages import CARD, post_page, text_of


def value_of(page, field):
    found = re.search(rf'<input id="{field}"[^>]*?value="([^"]*)"', page.text, re.DOTALL)
    return unescape(found.group(1)) if found else None


def test_the_page_shows_the_shop_and_the_product_description(sandbox, client):
    data = {"name": "Ink", "description": "Twelve bottles & a quill"}
    price = {"currency": "usd", "unit_amount": 900, "product_data": data}
    session = sandbox.session(line_items=[{"price_data": price, "quantity": 1}])
    page = sandbox.get(f"/c/pay/{session.id}")
    assert text_of(page, "merchant") == "Lectern sandbox"
    assert "Twelve bottles &amp; a quill" in page.text
    assert "Lectern sandbox" in re.search("<title>(.*?)</title>", page.text)[1]


def test_the_page_shows_the_account_that_receives_the_payment(sandbox, client):
    teacher = enabled(sandbox, client)
    client.v1.accounts.update(teacher.id, {"business_profile": {"name": "Ada's Atelier"}})
    session = sandbox.session(payment_intent_data={"on_behalf_of": teacher.id})
    assert text_of(sandbox.get(f"/c/pay/{session.id}"), "merchant") == "Ada's Atelier"
    paid = post_page(sandbox, session, cardNumber="4000000000003220")
    assert "to Ada&#x27;s Atelier" in sandbox.get(paid.headers["Location"]).text


def test_a_click_on_a_card_fills_in_the_form_without_paying(sandbox, client):
    session = sandbox.session()
    page = sandbox.get(f"/c/pay/{session.id}")
    assert "<script" not in page.text
    assert 'value="fill:378282246310005"' in page.text
    filled = sandbox.post(f"/c/pay/{session.id}", email="grace@example.org", do="fill:378282246310005")
    assert filled.status_code == 200
    assert value_of(filled, "cardNumber") == "3782 8224 6310 005"
    assert (value_of(filled, "cardExpiry"), value_of(filled, "cardCvc")) == ("12 / 34", "1234")
    assert (value_of(filled, "email"), value_of(filled, "billingName")) == ("grace@example.org", "Test Buyer")
    assert "succeeds (amex credit, US)" in filled.text
    assert client.v1.charges.list().data == []
    typed = {name: value_of(filled, name) for name in ("email", "cardNumber", "cardExpiry", "cardCvc", "billingName")}
    assert sandbox.post(f"/c/pay/{session.id}", **typed).status_code == 303
    assert client.v1.charges.list().data[0].payment_method_details.card.brand == "amex"


@pytest.mark.parametrize(
    ("currency", "account", "field"), [("eur", IBANS[0], "iban"), ("usd", US_ACCOUNTS[0], "accountNumber")]
)
def test_a_click_fills_in_a_bank_account(sandbox, currency, account, field):
    kind = "sepa_debit" if currency == "eur" else "us_bank_account"
    session = sandbox.session(currency=currency, payment_method_types=["card", kind])
    filled = sandbox.post(f"/c/pay/{session.id}", do=f"fill:{account.number}")
    assert value_of(filled, field) == account.number
    assert re.search(rf'value="{kind}"\s+checked', filled.text)


@pytest.mark.parametrize("number", ["", "4242", "4242424242424243", IBANS[0].number, "<b>"])
def test_an_unknown_number_fills_in_nothing(sandbox, number):
    session = sandbox.session()
    page = sandbox.post(f"/c/pay/{session.id}", do=f"fill:{number}", email="ada@example.org")
    assert (page.status_code, value_of(page, "cardNumber")) == (200, "")
    assert "<b>" not in page.text


def test_only_a_buyer_who_pressed_pay_is_asked_to_press_again(sandbox, client):
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"})
    session = sandbox.session(allow_promotion_codes=True)
    applied = sandbox.post(f"/c/pay/{session.id}", promotionCode="HALF", do="promotion")
    assert "The total is now $10.00." in applied.text
    assert "ress the button" not in applied.text
    other = sandbox.session(allow_promotion_codes=True)
    pressed = sandbox.post(f"/c/pay/{other.id}", **CARD, promotionCode="HALF")
    assert "The total is now $10.00. Press the button again to pay this amount." in pressed.text
    removed = sandbox.post(f"/c/pay/{session.id}", do="remove-promotion")
    assert "ress the button" not in removed.text
