"""Staff refund in the admin: one line of a mixed order, two of three places, and one made in Stripe's Dashboard."""

import pytest
from playwright.sync_api import expect

from tests.chromium import barriers, scrolls_sideways

NARROW, WIDE = 390, 1280


def buys_a_mixed_order(student, mixed):
    student.adds_workshop(mixed.workshop, places=3)
    student.adds_course(mixed.course)
    student.adds_lesson()
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    return student.has_only_one_order_paid()


class Desk:
    """A member of staff on one page of the admin."""

    def __init__(self, site, page, order):
        self.site = site
        self.page = page
        self.order = order

    def fits(self):
        """Expect that axe finds no barrier on the page, and that nothing is wider than the screen."""
        assert not barriers(self.page, exclude=[".select2-container"])
        assert not scrolls_sideways(self.page)

    def opens_order(self):
        self.page.goto(f"/admin/payments/order/{self.order['id']}/change/")

    def opens_refund(self):
        self.opens_order()
        self.page.get_by_role("region", name="Refunds").get_by_role("link", name="Refund", exact=True).click()

    def line(self, title):
        return self.page.get_by_role("group", name=title)

    def presses(self, name):
        self.page.get_by_role("button", name=name).click()

    def sees(self, text):
        expect(self.page.locator("main, #main").first).to_contain_text(text)

    def waits_until_refunded(self, number):
        def succeeded():
            return self.site.query(
                "SELECT r.* FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id"
                " WHERE p.order_id = %s AND r.status = 'succeeded' ORDER BY r.id",
                self.order["id"],
            )

        return self.site.wait_until(
            lambda: len(found := succeeded()) == number and found, within=40, what=f"{number} refunds"
        )


def price_of(site, order, title):
    [line] = site.query(
        "SELECT * FROM payments_orderline WHERE order_id = %s AND title LIKE %s", order["id"], f"%{title}%"
    )
    return line


def pounds(minor):
    return f"£{minor // 100}.{minor % 100:02}"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_staff_refund_a_line_then_two_places_and_allocate_what_was_refunded_at_stripe(
    site, new_student, mixed, open_page, sign_in, width
):
    student = new_student()
    order = buys_a_mixed_order(student, mixed)
    assert student.owns() == {"lessons": 1, "places": 3, "courses": 1}
    page = open_page(width=width)
    sign_in(page, "staff")
    desk = Desk(site, page, order)

    refunds_the_course(desk, student, mixed)
    refunds_two_places(desk, student, mixed)
    allocates_a_refund_made_at_stripe(desk, student)

    student.page.goto(f"/my/orders/{order['number']}/")
    expect(student.page.get_by_role("region", name="Refunds").locator(".card")).to_have_count(3)
    templates = [mail["template"] for mail in site.mails_to(student.email)]
    assert templates.count("payments/mail/refund_succeeded") == 3


def refunds_the_course(desk, student, mixed):
    """From the order's page: one click to the preview, one to confirm."""
    course = price_of(desk.site, desk.order, mixed.course)
    desk.opens_order()
    desk.fits()
    desk.page.locator(f"a[href$='?line={course['id']}']").click()
    desk.sees("End the access to the course.")
    desk.fits()
    desk.presses(f"Refund {pounds(course['amount_minor'])}")
    desk.sees(f"The refund of {pounds(course['amount_minor'])} is requested")
    desk.waits_until_refunded(1)
    desk.site.wait_until(lambda: student.owns()["courses"] == 0, what="the end of the access")
    desk.opens_order()
    desk.fits()


def refunds_two_places(desk, student, mixed):
    workshop = price_of(desk.site, desk.order, mixed.workshop)
    lesson = desk.site.query(
        "SELECT * FROM payments_orderline WHERE order_id = %s AND domain = 'private_teaching'", desk.order["id"]
    )[0]
    desk.opens_refund()
    desk.fits()
    desk.line(lesson["title"]).get_by_text("Nothing").click()
    places = desk.line(workshop["title"])
    places.get_by_text("Some places").click()
    places.get_by_role("spinbutton", name="Places").fill("4")
    desk.presses("Show preview")
    desk.sees("Only 3 can be returned.")
    desk.fits()
    places.get_by_role("spinbutton", name="Places").fill("2")
    desk.page.get_by_label("Why").fill("Two of them are ill.")
    desk.presses("Show preview")
    desk.sees("Give the places back: 2 of 3.")
    desk.fits()
    amount = pounds(workshop["amount_minor"] * 2 // 3)
    desk.presses(f"Refund {amount}")
    desk.sees(f"The refund of {amount} is requested")
    desk.waits_until_refunded(2)
    desk.site.wait_until(lambda: student.owns()["places"] == 1, what="two free places")
    assert student.owns() == {"lessons": 1, "places": 1, "courses": 0}


def allocates_a_refund_made_at_stripe(desk, student):
    [payment] = desk.site.query(
        "SELECT * FROM payments_payment WHERE order_id = %s AND status = 'succeeded'", desk.order["id"]
    )
    desk.site.refund_at_stripe(payment["stripe_payment_intent_id"], 1500)
    refund = desk.waits_until_refunded(3)[-1]
    desk.page.goto("/admin/payments/refund/?allocation=open")
    desk.page.locator(f"a[href='/admin/payments/refund/{refund['id']}/allocate/']").click()
    desk.sees("£15.00 was refunded in Stripe's Dashboard")
    desk.fits()
    desk.presses("Allocate £15.00")
    desk.sees("The refund of £15.00 is allocated.")
    desk.fits()
    [kept] = desk.site.query(
        "SELECT sum(amount_minor) AS total FROM payments_refundallocation WHERE refund_id = %s", refund["id"]
    )
    assert kept["total"] == 1500
