"""The demo works: what a visitor sees in the first minute."""

import re

import pytest
from playwright.sync_api import expect

from demo.accounts import ACCOUNTS


def test_the_home_page_shows_the_offers_of_the_demo(page):
    page.goto("/")
    expect(page).to_have_title(re.compile("Lectern"))
    expect(page.get_by_role("link", name="14 workshops")).to_be_visible()
    expect(page.get_by_role("link", name="8 courses")).to_be_visible()


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.role)
def test_one_click_signs_in_as_each_demo_account(page, sign_in, account):
    sign_in(page, account.role)
    expect(page.get_by_text(account.full_name).first).to_be_visible()


def test_the_mailbox_shows_a_mail_as_its_recipient_sees_it(site, page):
    site.wait_until(lambda: site.mails_to("student@demo.example"), what="the mail about the accepted lesson")
    page.goto("/demo/mailbox/")
    page.get_by_role("link", name="Elena Marchetti has times for your Italian lessons").first.click()
    expect(page.frame_locator("iframe").get_by_text("Your request for lessons in Italian is accepted")).to_be_visible()


def test_the_mailbox_shows_a_new_mail_without_being_reloaded(site, page, open_page):
    page.goto("/demo/mailbox/")
    visitor = open_page()
    visitor.goto("/accounts/password/reset/")
    visitor.locator("main input[type=email]").fill("teacher@demo.example")
    visitor.locator("main form button").first.click()
    expect(page.locator("tbody tr").first).to_contain_text("teacher@demo.example", timeout=15_000)


@pytest.mark.parametrize("name", ["web", "worker", "redis", "postgres"])
def test_a_killed_process_can_be_started_again_at_its_old_address(site, page, name):
    site.kill(name)
    assert not site.processes[name].is_running
    site.start(name)
    site.wait_until(lambda: page.goto("/").status == 200, what="the home page")
