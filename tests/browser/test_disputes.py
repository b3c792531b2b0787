"""Staff see a dispute, answer it with evidence, and win it: on a desktop screen and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_ways_of_buying import fits_the_screen

IS_DISPUTED = "4000000000000259"
PDF = {"name": "participants.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 who came"}


@pytest.mark.parametrize("width", [1280, 390])
def test_staff_answer_a_dispute_and_win_it(site, new_student, mixed, open_page, sign_in, width):
    student = new_student()
    student.adds_course(mixed.course)
    student.goes_to_payment()
    student.pays_by_card(IS_DISPUTED)
    student.sees_paid()
    dispute = site.wait_until(lambda: dispute_of(site, student), within=30, what="the dispute")
    assert dispute["status"] == "needs_response"
    held = site.wait_until(lambda: mails(site, dispute, "held"), within=30, what="the mail to the teacher")
    assert held[0]["template"] == "payments/mail/dispute_held"

    page = open_page(width=width)
    sign_in(page, "staff")
    page.goto("/admin/payments/dispute/?outcome=to_answer")
    expect(page.locator("#result_list")).to_contain_text(dispute["number"])
    fits_the_screen(page)
    page.goto(f"/admin/payments/dispute/{dispute['id']}/change/")
    expect(page.locator(".advice")).to_contain_text("Answer the dispute")
    expect(page.locator(".advice")).to_contain_text("left")
    fits_the_screen(page)
    page.get_by_role("link", name="Write the evidence").click()
    expect(page.get_by_label("What was bought")).to_have_value(re.compile(dispute["number"]))
    fits_the_screen(page)
    page.get_by_label("Anything else").fill("winning_evidence")
    page.get_by_label("Proof that it took place").set_input_files(PDF)
    expect(page.get_by_label("When it took place")).not_to_have_value(PDF["name"])
    page.get_by_role("button", name="Save and read it through").click()
    expect(page.get_by_text("participants.pdf, 17")).to_be_visible()
    fits_the_screen(page)
    page.get_by_label("Why, for the record").fill("The list shows the student")
    page.get_by_role("button", name="Send it to the bank").click()
    expect(page.get_by_text("The evidence is being sent to the bank.")).to_be_visible()

    site.wait_until(lambda: dispute_of(site, student)["status"] == "won", within=40, what="the decision")
    page.reload()
    expect(page.locator(".advice")).to_contain_text("Won")
    fits_the_screen(page)
    site.wait_until(lambda: mails(site, dispute, "won"), within=30, what="the mail to the teacher")


def dispute_of(site, student):
    rows = site.query(
        """
        SELECT d.id, d.status, d.stripe_dispute_id, o.number
          FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id JOIN payments_order o ON o.id = p.order_id
          JOIN accounts_user u ON u.id = o.user_id WHERE u.email = %s
        """,
        student.email,
    )
    return rows[0] if rows else None


def mails(site, dispute, outcome):
    pattern = f"dispute:{dispute['stripe_dispute_id']}:{outcome}:%"
    return site.query("SELECT * FROM notifications_mail WHERE key LIKE %s AND sent_at IS NOT NULL", pattern)
