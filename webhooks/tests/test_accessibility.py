"""The pages in a real browser: an endpoint is made with a phone, and axe looks at each page, light and dark."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import sync_playwright

from accounts.tests.factories import PASSWORD, TeacherFactory, UserFactory
from accounts.tests.signing_in import sign_in
from tests.chromium import barriers, launch_chromium, scrolls_sideways
from webhooks.models import Delivery, Endpoint
from webhooks.standing import record_gone
from webhooks.tests.factories import endpoint_at, ring, send_due

WIDTHS = {"phone": 390, "desk": 1280}
LONG = "https://hooks.a-school-with-a-very-long-name.example/receivers/of/everything/that/happens?key=" + "a" * 60


def session_of(user):
    client = Client()
    sign_in(client, user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def pages(transactional_db, receiver):
    """The session of each person, and the pages they look at."""
    teacher = TeacherFactory(user__full_name="Anna Larsson").user
    endpoint = endpoint_at(
        receiver.url, user=teacher, description="Accounting", event_types=["bell.rung", "order.paid"]
    )
    for status in (200, 500):
        receiver.status, receiver.body = status, b'{"error": "The database is away."}' * 20
        ring(teacher)
        send_due()
    arrived, failed = Delivery.objects.order_by("pk")
    disabled = endpoint_at(LONG, user=teacher)
    record_gone(disabled.pk)
    ring(teacher)
    newcomer = UserFactory()
    owned = [
        reverse("webhooks:endpoints"),
        reverse("webhooks:endpoint_new"),
        reverse("webhooks:endpoint", args=[endpoint.pk]),
        reverse("webhooks:endpoint", args=[disabled.pk]),
        reverse("webhooks:endpoint_edit", args=[endpoint.pk]),
        reverse("webhooks:secret_rotate", args=[endpoint.pk]),
        reverse("webhooks:endpoint_delete", args=[endpoint.pk]),
        reverse("webhooks:delivery", args=[arrived.pk]),
        reverse("webhooks:delivery", args=[failed.pk]),
        reverse("api_documentation"),
        reverse("accounts:profile"),
    ]
    staff = session_of(UserFactory(is_staff=True, is_superuser=True))
    return {
        session_of(teacher): owned,
        session_of(newcomer): [reverse("webhooks:endpoints")],
        staff: [
            reverse("webhooks:endpoint_new"),
            reverse("admin:webhooks_endpoint_changelist"),
            reverse("admin:webhooks_delivery_changelist"),
            reverse("admin:webhooks_delivery_change", args=[failed.pk]),
            reverse("admin:webhooks_endpoint_change", args=[endpoint.pk]),
        ],
    }


def look_at(page, name, folder, *, is_admin=False):
    """What is wrong with the page at each width; leaves pictures."""
    found = {}
    for (width_name, width), scheme in product(WIDTHS.items(), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{width_name}-{scheme}.png", full_page=True)
        # The admin's own frame is looked at by its own tests.
        wrong = [] if is_admin else barriers(page)
        if not is_admin and scrolls_sideways(page):
            wrong.append("scrolls sideways")
        if wrong:
            found[f"{name} {width_name} {scheme}"] = wrong
    return found


def walk(address, pages, folder):
    """Look at each page, then make an endpoint. Runs in its own thread, without Django's database connection."""
    found = {}
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        for person, (session, paths) in enumerate(pages.items()):
            context = browser.new_context(reduced_motion="reduce")
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
            page = context.new_page()
            for number, path in enumerate(paths):
                page.goto(address + path)
                found |= look_at(page, f"{person}-{number:02}", folder, is_admin=path.startswith("/admin/"))
            if person == 1:
                found |= make_endpoint(page, address, folder)
        browser.close()
    return found


def make_endpoint(page, address, folder):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}/my/webhooks/")
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("Address").fill("http://10.0.0.1/")
    page.get_by_label("order.paid", exact=False).check()
    page.get_by_role("button", name="Add the endpoint").click()
    found = look_at(page, "made-1-refused", folder)
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_label("Address").fill("https://school.example/hooks")
    page.get_by_role("button", name="Add the endpoint").click()
    assert page.get_by_label("Secret of").input_value().startswith("whsec_")
    found |= look_at(page, "made-2-secret", folder)
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Send a test message").click()
    found |= look_at(page, "made-3-test", folder)
    page.get_by_role("link", name="webhook.test").click()
    found |= look_at(page, "made-4-message", folder)
    return found


def test_an_endpoint_is_made_and_no_page_has_a_serious_problem(live_server, pages, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(walk, live_server.url, pages, tmp_path).result()
    assert found == {}
    made = Endpoint.objects.get(url="https://school.example/hooks")
    assert made.event_types == ["order.paid"]
    assert Delivery.objects.get(endpoint=made).event.type == "webhook.test"
