"""Cards that are declined, and cards whose bank asks for authentication, with a mixed cart."""

import pytest
from playwright.sync_api import expect

from tests.browser.shopper import ASKS_3DS, DECLINED


def test_after_a_declined_card_another_card_works_on_the_same_page(site, student, mixed):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(DECLINED)
    expect(student.page.get_by_role("alert")).to_contain_text("Your card was declined.")
    student.pays_by_card(DECLINED)
    expect(student.page.get_by_role("alert")).to_contain_text("Your card was declined.")

    student.pays_by_card()
    student.sees_paid()
    student.has_only_one_order_paid()
    assert len(student.payments()) == 1
    student.has_everything(mixed)
    site.sandbox("drain", timeout=30)
    # They saw on the page that the card was declined, and paid with another.
    assert failure_mails(student) == []


@pytest.mark.parametrize("number", ["4000002500003155", ASKS_3DS])
def test_the_order_is_paid_after_authentication_with_the_bank(student, mixed, number):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(number)
    student.page.locator("#authenticate").click()
    student.sees_paid()
    student.has_only_one_order_paid()
    student.has_everything(mixed)


def test_after_a_failed_authentication_another_card_works(student, mixed):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(ASKS_3DS)
    student.page.locator("#fail").click()
    expect(student.page.get_by_role("alert")).to_contain_text("We are unable to authenticate your payment method.")
    assert student.owns() == {"lessons": 0, "places": 0, "courses": 0}

    student.pays_by_card()
    student.sees_paid()
    student.has_only_one_order_paid()
    assert len(student.payments()) == 1
    student.has_everything(mixed)
    assert failure_mails(student) == []


def failure_mails(student):
    mails = student.site.mails_to(student.email)
    return [mail for mail in mails if mail["template"] == "payments/mail/payment_failed"]
