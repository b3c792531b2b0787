"""A card saved on Stripe's page pays the next cart with one click, although its bank asks the student each time."""

import pytest
from playwright.sync_api import expect

from tests.browser.shopper import ASKS_3DS
from tests.browser.test_ways_of_buying import fits_the_screen

PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}


@pytest.mark.parametrize("screen", [{"width": 1280}, PHONE], ids=["desktop", "phone"])
def test_a_saved_card_pays_the_next_cart_after_the_bank_has_asked(site, new_student, mixed, screen):
    student = new_student(**screen)
    page = student.page
    student.adds_course(mixed.course)
    student.goes_to_payment()
    page.locator("#savePaymentMethod").check()
    student.pays_by_card(ASKS_3DS)
    page.locator("#authenticate").click()
    student.sees_paid()
    site.sandbox("drain", timeout=30)

    page.goto("/my/payment-methods/")
    expect(page.get_by_role("heading", name="Visa •••• 3184")).to_be_visible()
    fits_the_screen(page)

    student.adds_workshop(mixed.workshop, places=1)
    fits_the_screen(page)
    total = student.total_in_cart()
    page.get_by_role("button", name=f"Pay {total} with Visa •••• 3184").click()
    page.locator("#fail").click()
    expect(page.locator("#order-state")).to_contain_text("Your bank could not confirm that it was you")
    fits_the_screen(page)

    page.goto("/cart/")
    page.get_by_role("button", name=f"Pay {total} with Visa •••• 3184").click()
    page.locator("#authenticate").click()
    student.sees_paid()
    expect(page.locator("#order-state .lead")).to_contain_text(total)
    site.sandbox("drain", timeout=30)
    orders = student.orders()
    assert [order["state"] for order in orders] == ["completed", "cancelled", "completed"]
    last = student.payments()[-1]
    (charge,) = site.charges_of(last["stripe_payment_intent_id"])
    assert charge["amount"] == orders[-1]["total_minor"] == last["amount_minor"]

    page.goto("/my/payment-methods/")
    page.get_by_role("link", name="Remove Visa •••• 3184").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.locator("main")).to_contain_text("You have not saved a card yet")
