"""Cards that are declined, and cards whose bank asks first. The cart is the mixed one."""

import pytest
from playwright.sync_api import expect

from tests.browser.shopper import ASKS_3DS, DECLINED


def test_a_declined_card_can_be_followed_by_one_that_works_on_the_same_page(site, student, mixed):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(DECLINED)
    expect(student.page.get_by_role("alert")).to_contain_text("Your card was declined.")
    student.pays_by_card(DECLINED)
    expect(student.page.get_by_role("alert")).to_contain_text("Your card was declined.")
    site.wait_until(lambda: failure_mails(student), within=30, what="the mail about the declined card")

    student.pays_by_card()
    student.sees_paid()
    student.has_only_one_order_paid()
    assert len(student.payments()) == 1
    student.has_everything(mixed)
    site.sandbox("drain", timeout=30)
    assert len(failure_mails(student)) == 1


@pytest.mark.parametrize("number", ["4000002500003155", ASKS_3DS])
def test_a_bank_that_asks_first_is_satisfied_and_the_order_is_paid(student, mixed, number):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(number)
    student.page.locator("#authenticate").click()
    student.sees_paid()
    student.has_only_one_order_paid()
    student.has_everything(mixed)


def test_a_bank_that_is_not_satisfied_can_be_followed_by_another_card(student, mixed):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(ASKS_3DS)
    student.page.locator("#fail").click()
    expect(student.page.get_by_role("alert")).to_contain_text("We are unable to authenticate your payment method.")
    [mail] = student.site.wait_until(lambda: failure_mails(student), within=30, what="the mail about the refusal")
    assert "Your bank could not confirm that it was you." in mail["text_body"]
    assert student.owns() == {"lessons": 0, "places": 0, "courses": 0}

    student.pays_by_card()
    student.sees_paid()
    student.has_only_one_order_paid()
    assert len(student.payments()) == 1
    student.has_everything(mixed)


def failure_mails(student):
    mails = student.site.mails_to(student.email)
    return [mail for mail in mails if mail["template"] == "payments/mail/payment_failed"]
