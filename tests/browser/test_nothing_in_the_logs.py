"""A whole purchase with recognisable values in every field, which then must not appear in the logs of any process."""

import re

from django.conf import settings

from sandbox.options import read_options
from tests.browser.shopper import DECLINED, PASSWORD
from tests.conftest import LOGS

# The logs of the site's processes and of the servers they use. The sandbox is excluded, because it replaces Stripe.
WRITERS = ("web", "worker", "stripe", "webhooks", "background", "beat", "postgres", "redis")
NAME, GUEST = "Canaria Serinus", "Fringilla Domestica"
EMAIL, GUEST_EMAIL = "canaria@serinus.example", "fringilla@domestica.example"
HOLDER, CVC = "C SERINUS-CARDHOLDER", "917"
GOALS = "sing like a canary in the morning"


def written():
    return {name: (LOGS / f"{name}.log").read_text() for name in WRITERS if (LOGS / f"{name}.log").exists()}


def test_after_a_whole_purchase_no_log_contains_card_data_secrets_or_personal_data(site, open_page, mixed):
    page = open_page()
    signs_up(page)
    forgetful = open_page()
    fails_to_sign_in_and_asks_for_a_new_password(forgetful)
    opens_the_link_of_a_reset(site, forgetful)
    asks_for_lessons(page)
    names_a_guest_at_a_workshop(site, page, mixed)
    pays(page, DECLINED)
    pays(page, "4242424242424242")
    page.wait_for_url("**/my/orders/**")
    site.sandbox("drain", timeout=30)
    site.wait_until(
        lambda: [mail for mail in site.mails_to(EMAIL) if mail["template"].endswith("payment_confirmed")],
        within=30,
        what="the confirmation",
    )
    looks_around(page)
    page.request.get(f"/browse/?q={EMAIL}")
    page.request.post(
        "/payments/webhook/", data=f'{{"email": "{EMAIL}"}}', headers={"Stripe-Signature": "t=1,v1=canary"}
    )

    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    secrets = [
        EMAIL, GUEST_EMAIL, NAME, GUEST, HOLDER, GOALS, PASSWORD, "wrong-Canary-password",
        "4242424242424242", "4242 4242 4242 4242", DECLINED, f"cvc={CVC}", "v1=canary",
        cookies["sessionid"], cookies["csrftoken"], settings.SECRET_KEY, read_options({}).secret_key,
        *settings.STRIPE_WEBHOOK_SECRETS, *secret_links_of(site),
    ]  # fmt: skip
    assert len(secret_links_of(site)) == 2
    logs = written()
    assert "/checkout/" in logs["web"]
    found = [
        f"{name}: {line[:300]}"
        for name, text in logs.items()
        for line in text.splitlines()
        if any(secret.lower() in line.lower() for secret in secrets if secret)
    ]
    assert found == []


def signs_up(page):
    page.goto("/accounts/signup/")
    page.locator("[name=full_name]").fill(NAME)
    page.locator("[name=email]").fill(EMAIL)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(re.compile(r"/(?!accounts/signup)"))


def opens_the_link_of_a_reset(site, page):
    [reset] = site.wait_until(
        lambda: [mail for mail in site.mails_to(EMAIL) if mail["template"].endswith("password_reset")],
        within=30,
        what="the mail with the link",
    )
    page.goto(re.search(r"/accounts/password/reset/key/[^\s]+", reset["text_body"])[0])


def fails_to_sign_in_and_asks_for_a_new_password(page):
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill("wrong-Canary-password")
    page.locator("main form button[type=submit]").first.click()
    page.goto("/accounts/password/reset/")
    page.locator("[name=email]").fill(EMAIL)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()


def asks_for_lessons(page):
    page.goto("/lessons/request/")
    if page.locator("[name=goals]").count():
        page.locator("[name=goals]").fill(GOALS)
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_load_state()


def names_a_guest_at_a_workshop(site, page, mixed):
    [workshop] = site.query("SELECT slug FROM workshops_workshop WHERE title = %s", mixed.workshop)
    page.goto(f"/workshops/{workshop['slug']}/register/?quantity=2")
    page.locator("input[name$=name]").nth(1).fill(GUEST)
    page.locator("input[name$=email]").nth(1).fill(GUEST_EMAIL)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/cart/")
    page.locator("#pay-button").click()
    page.wait_for_url(f"{site.sandbox_url}/c/pay/**")


def pays(page, number):
    page.locator("#cardNumber").fill(number)
    page.locator("#cardExpiry").fill("12 / 40")
    page.locator("#cardCvc").fill(CVC)
    page.locator("#billingName").fill(HOLDER)
    page.locator("#billingCountry").select_option("GB")
    page.locator("#pay").click()
    if number == DECLINED:
        page.get_by_role("alert").wait_for()


def looks_around(page):
    for address in (
        "/my/profile/",
        "/my/orders/",
        "/my/workshops/",
        "/my/lessons/",
        "/nowhere/",
        "/my/orders/LNOBODYS/",
    ):
        page.goto(address)


def secret_links_of(site):
    """The secret parts of the links in mails, which anyone could use: one confirms an address, one resets a password."""
    bodies = "".join(mail["text_body"] for mail in site.mails_to(EMAIL))
    return re.findall(r"/(?:reset/key|confirm-email)/([^/\s]+)/", bodies)
