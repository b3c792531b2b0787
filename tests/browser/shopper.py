"""A person who buys in a browser. One method per step; each works with and without JavaScript."""

import re

from playwright.sync_api import expect

PASSWORD = "seven green umbrellas"
WORKS, DECLINED, ASKS_3DS = "4242424242424242", "4000000000000002", "4000002760003184"
PAID = "Paid. Thank you!"


class Shopper:
    """A person on one page of one browser profile. `email` is empty for a guest."""

    def __init__(self, site, page, email="", request_id=None, lesson_id=None):
        self.site = site
        self.page = page
        self.email = email
        self.request_id = request_id
        self.lesson_id = lesson_id

    def on_another_tab(self):
        return Shopper(self.site, self.page.context.new_page(), self.email, self.request_id, self.lesson_id)

    # Filling the cart

    def adds_workshop(self, title, places):
        [workshop] = self.site.query("SELECT slug FROM workshops_workshop WHERE title = %s", title)
        self.page.goto(f"/workshops/{workshop['slug']}/")
        self.page.get_by_label("Places").select_option(str(places))
        self._press("Add to cart")
        self.page.wait_for_url("**/cart/")

    def adds_course(self, title):
        [course] = self.site.query("SELECT slug FROM courses_course WHERE title = %s", title)
        self.page.goto(f"/courses/{course['slug']}/")
        self._press("Add to cart")
        self.page.wait_for_url("**/cart/")

    def adds_lesson(self):
        self.page.goto(f"/my/lessons/requests/{self.request_id}/")
        self.page.locator("input[name=lesson]").first.check()
        self._press("Add to cart")
        self.page.wait_for_url("**/cart/")

    def fills_cart(self, mixed):
        """Add one private lesson, two places in a workshop and a course; `mixed` names the latter two."""
        self.adds_workshop(mixed.workshop, places=2)
        self.adds_course(mixed.course)
        self.adds_lesson()

    def total_in_cart(self):
        return self.page.locator("#cart-total").inner_text()

    # Paying

    def goes_to_payment(self):
        self.page.goto("/cart/")
        self.presses_pay()

    def presses_pay(self):
        self.page.locator("#pay-button").click()
        self.waits_for_payment_page()

    def waits_for_payment_page(self):
        self.page.wait_for_url(f"{self.site.sandbox_url}/c/pay/**")

    def pays_by_card(self, number=WORKS, *, clicks=1):
        """Fill in the hosted page, which keeps everything but card numbers, and press its button."""
        self.page.locator("#cardNumber").fill(number)
        self.page.locator("#cardExpiry").fill("12 / 40")
        self.page.locator("#cardCvc").fill("123")
        self.page.locator("#billingName").fill("A Student")
        self.page.locator("#billingCountry").select_option("GB")
        self.page.locator("#pay").click(click_count=clicks)

    def sees_paid(self):
        """Expect the order page to show that it is paid, without being reloaded."""
        expect(self.page.locator("#order-state").get_by_role("heading", level=1)).to_have_text(PAID)

    def order_number(self):
        return re.search(r"/my/orders/(\w+)/", self.page.url)[1]

    # The outcome

    def orders(self):
        """Return this person's orders from the database, oldest first."""
        return self.site.query(
            "SELECT o.* FROM payments_order o JOIN accounts_user u ON u.id = o.user_id WHERE u.email = %s ORDER BY o.id",
            self.email,
        )

    def payments(self):
        """Return every payment of this person, oldest first."""
        return self.site.query(
            "SELECT a.* FROM payments_payment a JOIN payments_order o ON o.id = a.order_id"
            " JOIN accounts_user u ON u.id = o.user_id WHERE u.email = %s ORDER BY a.id",
            self.email,
        )

    def has_only_one_order_paid(self):
        """Assert that exactly one order is paid and each of its lines is delivered once; return it."""
        paid = [order for order in self.orders() if order["state"] == "completed"]
        assert len(paid) == 1
        lines = self.site.query("SELECT * FROM payments_orderline WHERE order_id = %s", paid[0]["id"])
        assert {line["state"] for line in lines} == {"fulfilled"}
        assert sum(line["amount_minor"] for line in lines) == paid[0]["total_minor"]
        return paid[0]

    def has_everything(self, mixed):
        """Expect the person's own pages to show the lesson, both registrations and the enrolment."""
        self.page.goto("/my/lessons/")
        expect(self.page.get_by_role("region", name="Coming up").get_by_role("listitem")).to_have_count(1)
        self.page.goto("/my/workshops/")
        expect(
            self.page.locator("main .card", has_text=mixed.workshop).get_by_role("link", name="Ticket")
        ).to_have_count(2)
        self.page.goto("/my/courses/")
        expect(self.page.locator("main").get_by_role("link", name=mixed.course).first).to_be_visible()
        assert self.owns() == {"lessons": 1, "places": 2, "courses": 1}

    def owns(self):
        """Count this person's active purchases in each domain."""
        [counts] = self.site.query(
            """
            SELECT (SELECT count(*) FROM bookings_lesson WHERE student_id = u.id AND state = 'confirmed') AS lessons,
                   (SELECT count(*) FROM workshops_registration WHERE buyer_id = u.id AND state = 'confirmed') AS places,
                   (SELECT count(*) FROM courses_enrolment WHERE student_id = u.id AND state = 'active') AS courses
              FROM accounts_user u WHERE u.email = %s
            """,
            self.email,
        )
        return counts

    def _press(self, name):
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()
