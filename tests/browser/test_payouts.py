"""A teacher sets up a Stripe account and asks for their money, staff approve, and it arrives. On a phone and a desktop."""

import json

import pytest
import requests
from playwright.sync_api import expect

from sandbox.options import read_options
from tests.chromium import barriers, scrolls_sideways

DAYS = 86_400


def from_payees(site, call):
    """Call a function of tests.browser.payees in the running site's own database; returns the last line it prints."""
    return site.manage("shell", "--no-imports", "-c", f"from tests.browser import payees; payees.{call}").splitlines()[
        -1:
    ]


@pytest.fixture
def payee(site):
    """A teacher with 90.00 USD available and staff, both signed in; the platform's balance is enough to pay them."""
    yield json.loads(*from_payees(site, "print_payee()"))
    site.sandbox("clock", reset=True)


@pytest.fixture
def seller(site):
    """A teacher with a course for 100.00 USD and staff, both signed in."""
    return json.loads(*from_payees(site, "print_seller()"))


def fund(site, minor):
    data = {"amount": minor, "currency": "usd", "source": "tok_bypassPending"}
    key = read_options({}).secret_key
    assert requests.post(f"{site.sandbox_url}/v1/charges", data=data, auth=(key, ""), timeout=30).ok


def opened(site, open_page, session, **options):
    page = open_page(**options)
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site.base_url}])
    return page


def looks_right(page):
    assert not scrolls_sideways(page)
    assert barriers(page) == []


def reload_until(page, text, *, tries=40):
    """Reload until the page shows a text: the worker, the sandbox and its events take a moment."""
    for _ in range(tries):
        if page.get_by_text(text, exact=True).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_text(text, exact=True).first).to_be_visible()


def set_up_account(page):
    page.goto("/teach/payouts/")
    looks_right(page)
    page.get_by_label("Country of your bank account").select_option("US")
    page.get_by_role("button", name="Set up at Stripe").click()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/teach/payouts/")
    reload_until(page, "Ready")


def approve(page, name):
    page.goto("/admin/payments/payout/")
    assert not scrolls_sideways(page)
    page.get_by_role("link", name=name).first.click()
    page.get_by_role("link", name="Approve and send").click()
    expect(page.get_by_text("is available at Stripe.")).to_be_visible()
    assert not scrolls_sideways(page)
    page.get_by_label("Note").fill("Checked with the statement")
    page.get_by_role("button", name="Approve and send").click()
    page.wait_for_url("**/change/")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_teacher_is_paid_and_sees_the_money_arrive(site, open_page, payee, width):
    fund(site, 20_000)
    teacher = opened(site, open_page, payee["teacher"], width=width)
    set_up_account(teacher)
    looks_right(teacher)
    teacher.get_by_role("button", name="Request payout").click()
    expect(teacher.get_by_text("You have requested")).to_be_visible()
    looks_right(teacher)

    staff = opened(site, open_page, payee["staff"], width=width)
    approve(staff, payee["name"])

    reload_until(teacher, "Paid")
    site.sandbox("clock", advance=2 * DAYS)
    teacher.goto("/teach/payouts/")
    reload_until(teacher, "On its way to your bank")
    site.sandbox("clock", advance=7 * DAYS)
    reload_until(teacher, "Arrived")
    looks_right(teacher)
    teacher.get_by_role("table").get_by_role("link").first.click()
    expect(teacher.get_by_text("Sent to your Stripe account")).to_be_visible()
    looks_right(teacher)
    staff.reload()
    expect(staff.get_by_role("link", name="Fay Nance").first).to_be_visible()
    for word in ("Checked with the statement", "US$90.00 credit"):
        expect(staff.get_by_text(word).first).to_be_visible()
    assert [mail["subject"] for mail in site.mails_to(payee["email"])] == ["Your payout of US$90.00 is on its way"]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_refund_after_the_payout_is_a_debt_that_the_next_sale_pays_off(site, new_student, open_page, seller, width):
    fund(site, 20_000)
    teacher = opened(site, open_page, seller["teacher"], width=width)
    staff = opened(site, open_page, seller["staff"], width=width)
    set_up_account(teacher)
    first = sell(site, new_student(), seller)
    teacher.reload()
    teacher.get_by_role("button", name="Request payout").click()
    expect(teacher.get_by_text("You have requested")).to_be_visible()
    approve(staff, seller["name"])
    reload_until(teacher, "Paid")

    refund_whole(site, staff, first)
    teacher.goto("/teach/earnings/")
    reload_until(teacher, "You owe US$90.00 after refunds or disputes. Your next earnings pay it off.")
    sees_figures(teacher, available="US$0.00", paid_out="US$90.00")
    looks_right(teacher)

    sell(site, new_student(), seller)
    teacher.goto("/teach/earnings/")
    expect(teacher.get_by_text("You owe")).to_have_count(0)
    sees_figures(teacher, available="US$0.00", paid_out="US$90.00")
    sell(site, new_student(), seller)
    teacher.goto("/teach/earnings/")
    sees_figures(teacher, available="US$90.00", paid_out="US$90.00")
    looks_right(teacher)


def sell(site, student, seller):
    """A student buys the course, and its holding time ends."""
    student.page.goto(f"/courses/{seller['course']}/")
    student.page.locator("main").get_by_role("button", name="Add to cart", exact=True).click()
    student.page.wait_for_url("**/cart/")
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    order = student.has_only_one_order_paid()
    from_payees(site, f"mature_order({order['number']!r})")
    return order


def refund_whole(site, staff, order):
    staff.goto(f"/admin/payments/order/{order['id']}/change/")
    staff.get_by_role("region", name="Refunds").get_by_role("link", name="Refund", exact=True).click()
    assert not scrolls_sideways(staff)
    staff.get_by_role("button", name="Refund US$100.00").click()
    expect(staff.get_by_text("The refund of US$100.00 is requested")).to_be_visible()


def sees_figures(page, *, available, paid_out):
    for name, amount in (("Available", available), ("Paid out", paid_out)):
        figure = page.get_by_role("region", name="Balance in USD").locator("div", has_text=name)
        expect(figure.locator("dd").first).to_have_text(amount)
