"""The dashboard as a browser shows it: no barrier that axe finds, nothing wider than the screen, light and dark."""

import shutil
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


@pytest.fixture(scope="module")
def chromium():
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def test_pages_have_no_barriers_and_fit_the_screen(sandbox, receiver, client, chromium):
    receiver.answers[:] = [500] * 3
    customer = client.v1.customers.create({"name": "Ada " + "Lovelace" * 20, "email": "ada@example.org"})
    intent = client.v1.payment_intents.create(
        {
            "amount": 123456,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "customer": customer.id,
        }
    )
    session = sandbox.session()
    sandbox.drain()
    endpoint = client.v1.webhook_endpoints.list().data[0]
    objects = (customer, intent, session, endpoint, client.v1.events.list().data[0])
    paths = [
        "/",
        "/#menu",
        "/dashboard/payments",
        "/dashboard/movements",
        "/dashboard/deliveries",
        "/dashboard/deliveries/1",
    ]
    paths += ["/dashboard/requests", "/dashboard/controls", "/objects/none"]
    page = chromium.new_page()
    found = []
    for path in paths + [f"/objects/{one.id}" for one in objects]:
        page.goto(sandbox.url + path)
        for width, scheme in product([390, 1280], ["light", "dark"]):
            where = f"{path} {width} {scheme}"
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found.append(f"{where} scrolls sideways")
            violations = Axe().run(page).response["violations"]
            found += [f"{where}: {one['id']} {one['nodes'][0]['target']}" for one in violations]
    page.close()
    assert not found


def test_on_a_narrow_screen_the_menu_opens_without_scripts(sandbox, chromium):
    context = chromium.new_context(viewport={"width": 390, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(sandbox.url)
    assert not page.get_by_role("link", name="Refunds").is_visible()
    page.get_by_role("link", name="Menu", exact=True).click()
    page.get_by_role("link", name="Refunds").click()
    assert page.get_by_role("heading", name="Refunds").is_visible()
    context.close()


def test_the_keyboard_reaches_the_page_first_and_shows_where_it_is(sandbox, chromium):
    page = chromium.new_page()
    page.goto(sandbox.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.close()
