"""From the front page to a paid course as a guest: every click and every field is counted."""

from uuid import uuid4

import pytest

from tests.browser.shopper import PAID, PASSWORD, Shopper
from tests.chromium import scrolls_sideways

CLICKS_AT_MOST, FIELDS_AT_MOST = 10, 8
COURSE = "Kana in Two Weeks"


class Counted:
    """Clicks and fills on a page, and counts both."""

    def __init__(self, page):
        self.page, self.clicks, self.fields = page, 0, 0

    def click(self, locator):
        self.clicks += 1
        locator.first.click()

    def fill(self, locator, text):
        self.fields += 1
        locator.fill(text)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_guest_pays_within_ten_clicks_and_eight_fields(site, open_page, width):
    email = f"first-{uuid4().hex[:6]}@journeys.example"
    page = open_page(width=width)
    one = Counted(page)
    page.goto("/")
    one.fill(page.get_by_role("searchbox").first, "kana")
    page.keyboard.press("Enter")
    one.click(page.locator("main").get_by_role("link", name=COURSE))
    one.click(page.get_by_role("button", name="Add to cart"))
    page.wait_for_url("**/cart/")
    assert not scrolls_sideways(page)
    one.click(page.get_by_role("link", name="Create an account"))
    one.fill(page.get_by_label("Name"), "Nora First")
    one.fill(page.get_by_label("Email", exact=True), email)
    one.fill(page.get_by_label("Password", exact=True), PASSWORD)
    one.click(page.locator("main").get_by_role("button", name="Sign up"))
    page.wait_for_url("**/cart/")
    one.click(page.locator("#pay-button"))
    guest = Shopper(site, page, email)
    guest.waits_for_payment_page()
    one.fill(page.locator("#cardNumber"), "4242424242424242")
    one.fill(page.locator("#cardExpiry"), "12 / 40")
    one.fill(page.locator("#cardCvc"), "123")
    one.fill(page.locator("#billingName"), "Nora First")
    one.click(page.locator("#pay"))
    guest.sees_paid()
    assert PAID in page.inner_text("main")
    guest.has_only_one_order_paid()
    assert one.clicks <= CLICKS_AT_MOST
    assert one.fields <= FIELDS_AT_MOST
