"""A passkey, made and used in a real browser with Chromium's virtual authenticator."""

import re
import secrets
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

PASSWORD = "correct horse battery staple"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def at(site):
    """Returns addresses on the host localhost: a passkey belongs to a domain name, and 127.0.0.1 is not one."""
    return lambda path: f"http://localhost:{urlsplit(site.base_url).port}{path}"


@pytest.fixture
def page(open_page):
    """A page whose browser has an authenticator that always consents."""
    page = open_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


@pytest.fixture
def member(site, page, at):
    """A person who signed up and verified their address; returns the address."""
    email = f"passkey-{secrets.token_hex(4)}@journeys.example"
    page.goto(at("/accounts/signup/"))
    page.get_by_label("Name").fill("Percy Passkey")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Percy Passkey", exact=True)).to_be_visible()
    mail = site.wait_until(lambda: site.mails_to(email), within=60, what="the mail that asks to verify the address")[0]
    page.goto(at(re.search(r"/accounts/confirm-email/[^/\s]+/", mail["text_body"])[0]))
    page.locator("main").get_by_role("button", name="Confirm").click()
    return email


def add_passkey(page, at):
    page.goto(at("/accounts/2fa/webauthn/add/"))
    # Another person who finds a signed-in browser must not be able to add their own key.
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/accounts/2fa/**codes/**")


def sign_out(page, at):
    page.goto(at("/accounts/logout/"))
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def type_password(page, at, email):
    page.goto(at("/accounts/login/"))
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()


def test_a_passkey_is_required_after_the_password_once_set_up(page, at, member):
    add_passkey(page, at)
    sign_out(page, at)
    type_password(page, at, member)
    page.wait_for_url("**/accounts/2fa/authenticate/")
    page.goto(at("/my/profile/"))
    assert page.url == at("/accounts/2fa/authenticate/")  # the password alone is not enough
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_text("Percy Passkey", exact=True)).to_be_visible()


def test_a_passkey_alone_signs_in(page, at, member):
    add_passkey(page, at)
    sign_out(page, at)
    page.goto(at("/accounts/login/"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Percy Passkey", exact=True)).to_be_visible()
    page.goto(at("/my/profile/"))
    expect(page.get_by_label("Name")).to_have_value("Percy Passkey")
