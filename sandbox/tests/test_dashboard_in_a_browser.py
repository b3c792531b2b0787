"""The dashboard in a browser: no accessibility barriers (axe), nothing wider than the screen, light and dark."""

from itertools import product

import pytest
from playwright.sync_api import sync_playwright

from tests.chromium import barriers, launch_chromium, scrolls_sideways


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
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
            "payment_method_types": ["card"],
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
            if scrolls_sideways(page):
                found.append(f"{where} scrolls sideways")
            found += [f"{where}: {barrier}" for barrier in barriers(page, impacts=None)]
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


def test_the_first_tab_reaches_the_skip_link_and_focus_is_visible(sandbox, chromium):
    page = chromium.new_page()
    page.goto(sandbox.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.close()
