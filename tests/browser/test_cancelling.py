"""A student cancels in a browser, on a desktop and on a phone: they see what comes back, and then it happens."""

import pytest
from playwright.sync_api import expect

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_a_student_cancels_a_lesson_for_half_by_its_policy(site, new_student, width):
    student = new_student(width=width)
    page = student.page
    student.adds_lesson()
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    paid = student.has_only_one_order_paid()
    [lesson] = site.query(
        """
        UPDATE bookings_lesson SET period = tstzrange(now() + interval '30 hours', now() + interval '31 hours')
         WHERE order_line_id IN (SELECT id FROM payments_orderline WHERE order_id = %s) RETURNING id, amount_minor
        """,
        paid["id"],
    )
    page.goto(f"/my/lessons/{lesson['id']}/")
    page.get_by_role("link", name="Cancel this lesson").click()
    half = f"£{(lesson['amount_minor'] + 1) // 2 / 100:.2f}"
    expect(page.get_by_role("heading", name=f"You get {half} back")).to_be_visible()
    fits_the_screen(page)
    page.get_by_role("button", name=f"Cancel and get {half} back").click()
    expect(page.get_by_text(f"It is cancelled, and {half} is on its way back to you.")).to_be_visible()
    fits_the_screen(page)
    refund = site.wait_until(lambda: refunds_of(site, paid, status="succeeded"), within=60, what="the refund")
    assert [row["amount_minor"] for row in refund] == [(lesson["amount_minor"] + 1) // 2]
    assert student.owns()["lessons"] == 0
    page.goto(f"/my/lessons/{lesson['id']}/")
    expect(page.get_by_text("You cancelled this lesson.")).to_be_visible()
    mails = [mail["subject"] for mail in site.mails_to(student.email)]
    assert any(subject.startswith("Cancelled: ") for subject in mails)


@WIDTHS
def test_a_student_cancels_two_of_three_places(site, new_student, mixed, width):
    student = new_student(width=width)
    page = student.page
    student.adds_workshop(mixed.workshop, places=3)
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    paid = student.has_only_one_order_paid()
    page.get_by_role("link", name=f"Cancel {mixed.workshop}").click()
    places = page.get_by_role("checkbox")
    expect(places).to_have_count(3)
    fits_the_screen(page)
    places.nth(0).check()
    places.nth(2).check()
    page.get_by_role("button", name="Show what I get back").click()
    two_thirds = f"£{paid['total_minor'] // 3 * 2 / 100:.2f}"
    expect(page.get_by_role("heading", name=f"You get {two_thirds} back")).to_be_visible()
    expect(page.get_by_text("2 of 3 places")).to_be_visible()
    fits_the_screen(page)
    page.locator("#confirm-cancellation").click()
    expect(page.get_by_text(f"It is cancelled, and {two_thirds} is on its way back to you.")).to_be_visible()
    expect(page.get_by_text("2 of 3 cancelled")).to_be_visible()
    fits_the_screen(page)
    assert student.owns()["places"] == 1
    refund = site.wait_until(lambda: refunds_of(site, paid, status="succeeded"), within=60, what="the refund")
    assert [row["amount_minor"] for row in refund] == [paid["total_minor"] // 3 * 2]


@WIDTHS
def test_a_teacher_cancels_a_workshop_and_sees_everyone_refunded(site, new_student, open_page, sign_in, width):
    title = f"Gnocchi for {width}"
    plan_workshop(site, title)
    student = new_student()
    student.adds_workshop(title, places=2)
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    paid = student.has_only_one_order_paid()
    page = open_page(width=width)
    sign_in(page, "teacher")
    page.goto("/teach/workshops/")
    page.get_by_role("link", name=f"Cancel {title}").click()
    expect(page.get_by_text("2 places in 1 order")).to_be_visible()
    fits_the_screen(page)
    page.get_by_label("Reason").fill("The kitchen is flooded.")
    page.get_by_role("button", name="Cancel the workshop and refund everyone").click()
    expect(page.get_by_role("status").get_by_text("of 1 order")).to_be_visible()
    site.wait_until(lambda: refunds_of(site, paid, status="succeeded"), within=60, what="the refund")
    page.reload()
    expect(page.get_by_text("1 of 1 order cancelled; 1 refund confirmed")).to_be_visible()
    fits_the_screen(page)
    student.page.goto("/my/workshops/")
    expect(student.page.get_by_text("The kitchen is flooded.")).to_be_visible()


def plan_workshop(site, title):
    """Have the demo's teacher sell another workshop."""
    site.manage(
        "shell",
        "--no-imports",
        "-c",
        "from accounts.models import Teacher; from workshops.tests.factories import make_workshop;"
        f"make_workshop(teacher=Teacher.objects.get(user__email='teacher@demo.example'), title={title!r})",
    )


def refunds_of(site, order, *, status):
    return site.query(
        "SELECT r.* FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id"
        " WHERE p.order_id = %s AND r.status = %s",
        order["id"],
        status,
    )


def fits_the_screen(page):
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, f"{page.url} scrolls sideways"
