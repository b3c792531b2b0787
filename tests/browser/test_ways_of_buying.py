"""The whole purchase on a phone, without JavaScript, and without a mouse."""

import pytest
from playwright.sync_api import expect

from tests.browser.shopper import PAID, WORKS

PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
MOST_STOPS = 80


def test_the_whole_purchase_works_on_a_phone_and_nothing_is_wider_than_the_screen(new_student, mixed):
    student = new_student(**PHONE)
    student.adds_workshop(mixed.workshop, places=2)
    student.adds_course(mixed.course)
    student.adds_lesson()
    fits_the_screen(student.page)
    student.page.locator("#pay-button").tap()
    student.waits_for_payment_page()
    fits_the_screen(student.page)
    student.pays_by_card()
    student.sees_paid()
    fits_the_screen(student.page)
    student.has_only_one_order_paid()
    student.has_everything(mixed)


def test_the_whole_purchase_works_without_javascript(site, new_student, mixed):
    student = new_student(java_script_enabled=False)
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card()
    student.page.wait_for_url("**/my/orders/**")
    site.wait_until(lambda: student.owns()["courses"], within=30, what="delivery")
    student.page.reload()
    expect(student.page.locator("#order-state h1")).to_have_text(PAID)
    student.has_only_one_order_paid()
    student.has_everything(mixed)


@pytest.mark.parametrize("width", [1280, 390])
def test_an_order_can_be_paid_from_the_cart_without_a_mouse(new_student, mixed, width):
    student = new_student(width=width)
    student.adds_course(mixed.course)
    page = student.page
    page.goto("/cart/")
    tab_to(page, "pay-button")
    page.keyboard.press("Enter")
    student.waits_for_payment_page()
    for field, typed in (("cardNumber", WORKS), ("cardExpiry", "1240"), ("cardCvc", "123"), ("billingName", "A B")):
        tab_to(page, field)
        page.keyboard.type(typed)
    tab_to(page, "billingCountry")
    page.keyboard.type("United K")
    tab_to(page, "pay")
    page.keyboard.press("Enter")
    student.sees_paid()
    student.has_only_one_order_paid()


def tab_to(page, element_id):
    """Press Tab until the element has the focus, checking at each stop that the focus is visible."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                const shows = style.outlineStyle !== "none" || style.boxShadow !== "none";
                return {id: document.activeElement.id, what: document.activeElement.outerHTML.slice(0, 200), shows};
            }"""
        )
        assert focused["shows"], f"No visible focus on {focused['what']}"
        if focused["id"] == element_id:
            return
    pytest.fail(f"The keyboard does not reach #{element_id}")


def fits_the_screen(page):
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, f"{page.url} scrolls sideways"
