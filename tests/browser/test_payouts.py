"""A teacher sets up a Stripe account and asks for their money, staff approve, and it arrives. On a phone and a desktop."""

import json

import pytest
import requests
from playwright.sync_api import expect

from sandbox.options import read_options
from tests.chromium import barriers, scrolls_sideways

DAYS = 86_400


@pytest.fixture
def payee(site):
    """A teacher with 90.00 USD available and staff, both signed in; the platform's balance is enough to pay them."""
    made = "from tests.browser.payees import print_payee; print_payee()"
    yield json.loads(site.manage("shell", "--no-imports", "-c", made).splitlines()[-1])
    site.sandbox("clock", reset=True)


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
