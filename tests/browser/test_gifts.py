"""A gift that one person buys and another redeems: the same figures everywhere, at both widths."""

import re

import pytest
from playwright.sync_api import expect

from tests.chromium import scrolls_sideways

COURSE = "Kana in Two Weeks"
MESSAGE = "Have fun with the letters!"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_gift_is_bought_by_one_and_redeemed_by_another(site, new_student, open_page, sign_in, width):
    giver, receiver = new_student(width=width), new_student(width=width)
    gives_the_course(site, giver, receiver)
    total = giver.total_in_cart()
    giver.presses_pay()
    assert total in giver.page.inner_text("body")
    giver.pays_by_card()
    giver.sees_paid()
    order = giver.has_only_one_order_paid()
    sees_the_order(giver, total)
    has_figures_in_the_books(site, order, total)
    code = sees_the_code(giver)
    assert giver.owns()["courses"] == 0

    redeems(receiver, link_in_the_mail(site, receiver.email, code))
    assert (receiver.owns()["courses"], giver.owns()["courses"]) == (1, 0)
    giver.page.reload()
    expect(giver.page.locator("#gift-state")).to_contain_text("Redeemed")
    staff = open_page()
    sign_in(staff, "staff")
    staff_see_it(staff, order, total)


def gives_the_course(site, giver, receiver):
    [course] = site.query("SELECT slug FROM courses_course WHERE title = %s", COURSE)
    page = giver.page
    page.goto(f"/courses/{course['slug']}/")
    page.get_by_role("link", name="Give as a gift").click()
    page.get_by_label("For", exact=True).fill("Ada Lovelace")
    page.get_by_label("Their email address").fill(receiver.email)
    page.get_by_label("Message").fill(MESSAGE)
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Add to cart as a gift").click()
    page.wait_for_url("**/cart/")
    expect(page.locator(".cart-line")).to_contain_text("for Ada Lovelace")
    assert not scrolls_sideways(page)


def sees_the_order(giver, total):
    expect(giver.page.locator("main")).to_contain_text("Gift for Ada Lovelace")
    expect(giver.page.locator("main")).to_contain_text(total)
    assert not scrolls_sideways(giver.page)
    number = giver.order_number()
    receipt = giver.page.request.get(f"/my/orders/{number}/receipt.pdf")
    assert receipt.headers["content-type"] == "application/pdf"


def has_figures_in_the_books(site, order, total):
    minor = int(re.sub(r"\D", "", total))
    assert order["total_minor"] == minor
    [line] = site.query("SELECT * FROM payments_orderline WHERE order_id = %s", order["id"])
    assert line["platform_fee_minor"] + line["teacher_share_minor"] == line["amount_minor"] == minor
    [booked] = site.query(
        "SELECT sum(p.amount_minor) AS minor FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id"
        " JOIN ledger_account a ON a.id = p.account_id WHERE j.source = %s AND a.kind = %s",
        f"order:{order['number']}:settled", "stripe_clearing",
    )  # fmt: skip
    assert abs(booked["minor"]) == minor


def sees_the_code(giver):
    page = giver.page
    page.get_by_role("link", name="View gift").click()
    page.wait_for_url("**/my/gifts/**")
    assert not scrolls_sideways(page)
    expect(page.locator("main")).to_contain_text(MESSAGE)
    assert page.request.get(f"{page.url}gift.pdf").headers["content-type"] == "application/pdf"
    return page.locator("#gift-code").inner_text()


def link_in_the_mail(site, address, code):
    """What is stored of the mail has no code; the link is the one that the mail has instead of the placeholder."""
    site.wait_until(lambda: gift_mails(site, address), within=30, what="the mail with the gift")
    [mail] = gift_mails(site, address)
    assert code not in mail["text_body"] + mail["html_body"]
    assert MESSAGE not in mail["text_body"]
    return f"/gift/?token={code}"


def gift_mails(site, address):
    return [mail for mail in site.mails_to(address) if mail["template"] == "payments/mail/gift_received"]


def redeems(receiver, link):
    page = receiver.page
    page.goto(link)
    expect(page.locator("main")).to_contain_text(COURSE)
    expect(page.locator("main")).to_contain_text(MESSAGE)
    assert not scrolls_sideways(page)
    page.locator("#redeem-button").click()
    page.wait_for_url("**/courses/**")
    expect(page.locator("main")).to_contain_text(COURSE)


def staff_see_it(staff, order, total):
    staff.goto(f"/admin/payments/gift/?q={order['number']}")
    expect(staff.locator("#result_list")).to_contain_text("Ada Lovelace")
    expect(staff.locator("#result_list")).to_contain_text("Redeemed")
    staff.goto(f"/admin/payments/order/{order['id']}/change/")
    expect(staff.locator("#content, main").first).to_contain_text(total)
