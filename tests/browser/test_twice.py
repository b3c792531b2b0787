"""Students who click twice or shop in two tabs, and prices that change during a purchase."""

import re

from playwright.sync_api import expect

ELENAS_COURSE = "Italian at the Table"


def test_a_double_click_on_pay_makes_one_order_and_one_payment_page(student, mixed):
    student.fills_cart(mixed)
    student.page.goto("/cart/")
    student.page.locator("#pay-button").dblclick(no_wait_after=True)
    student.waits_for_payment_page()
    [payment] = student.payments()
    assert student.page.url == payment["session_url"]
    student.pays_by_card()
    student.sees_paid()
    student.has_only_one_order_paid()
    assert len(student.orders()) == 1
    student.has_everything(mixed)


def test_a_double_click_on_the_payment_page_pays_once(site, student, mixed):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.pays_by_card(clicks=2)
    student.sees_paid()
    order = student.has_only_one_order_paid()
    [payment] = student.payments()
    [charge] = site.charges_of(payment["stripe_payment_intent_id"])
    assert charge["amount"] == payment["amount_minor"]
    assert order["total_minor"] == payment["amount_minor"]


def test_only_the_changed_cart_can_be_paid_while_another_tab_shows_the_old_payment_page(site, student, mixed):
    student.fills_cart(mixed)
    other = student.on_another_tab()
    student.goes_to_payment()
    other.adds_course(ELENAS_COURSE)
    expect(other.page.locator(".cart-line")).to_have_count(4)
    other.goes_to_payment()

    student.page.reload()
    expect(student.page.locator("h1")).to_have_text("This checkout session has expired")
    other.pays_by_card()
    other.sees_paid()
    paid = other.has_only_one_order_paid()
    assert [order["state"] for order in other.orders()] == ["cancelled", "completed"]
    assert paid["number"] == other.order_number()
    assert other.owns() == {"lessons": 1, "places": 2, "courses": 2}


def test_a_price_that_changed_meanwhile_is_shown_and_must_be_confirmed(student, mixed, open_page, sign_in):
    student.fills_cart(mixed)
    student.adds_course(ELENAS_COURSE)
    total = student.total_in_cart()
    teacher = open_page()
    sign_in(teacher, "teacher")
    raise_price(teacher)

    student.page.locator("#pay-button").click()
    expect(student.page.locator("#messages")).to_contain_text("Something in your cart changed.")
    expect(student.page.get_by_text("Prices have changed since you last looked.")).to_be_visible()
    line = student.page.locator(".cart-line", has_text=ELENAS_COURSE)
    expect(line.locator("s")).to_be_visible()
    assert student.orders() == []
    new_total = student.total_in_cart()
    assert pence(new_total) == pence(total) + 150

    student.presses_pay()
    student.pays_by_card()
    student.sees_paid()
    assert student.has_only_one_order_paid()["total_minor"] == pence(new_total)


def raise_price(page):
    """Elena raises the price of her course by £1.50."""
    page.goto("/teach/courses/")
    page.locator("main").get_by_role("link", name=ELENAS_COURSE).first.click()
    page.get_by_role("link", name="Edit title, texts and prices").click()
    price = page.get_by_label(re.compile("GBP"))
    price.fill(f"{float(price.input_value()) + 1.5:.2f}")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(re.compile(r"/teach/courses/\d+/$"))


def pence(shown):
    return int(re.sub(r"[^\d]", "", shown))
