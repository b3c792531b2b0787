"""Axe in a real browser: each page of the catalogue, on a phone and a desktop, in light and dark."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import sync_playwright

from accounts.tests.factories import PASSWORD, TeacherFactory
from catalogue.expertise import set_expertise
from catalogue.tests.factories import ListingFactory, SubjectFactory
from tests.chromium import barriers, launch_chromium, scrolls_sideways

WIDTHS = {"phone": 390, "desk": 1280}
PUBLIC = [
    "/",
    "/browse/",
    "/browse/?q=lute&level=beginner&min_price=x",
    "/browse/?q=nothing",
    "/teachers/ada/",
    "/none/",
]
TEACHERS = ["/teach/subjects/"]


@pytest.fixture
def teacher(transactional_db):
    teacher = TeacherFactory(slug="ada", display_name="Ada King", headline="Patient", biography="## How\n\n- slowly")
    lute = SubjectFactory(name="Lute", slug="lute")
    set_expertise(teacher=teacher, subject=lute, levels=["beginner"])
    start = timezone.now() + timedelta(days=2)
    ListingFactory(title="Lute at last", teacher=teacher, subject=lute, starts_at=start, levels=["beginner"])
    ListingFactory(title="Alone with a lute", teacher=teacher, subject=lute, is_sold_out=True)
    ListingFactory(title="An hour of lute", teacher=teacher, subject=lute, is_by_request=True)
    return teacher


def find_problems(address, session):
    """Return the problems of each page. Runs in its own thread, without Django's database connection."""
    found = {}
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        context = browser.new_context(reduced_motion="reduce")
        page = context.new_page()
        # Violations of the content security policy are only reported on the console.
        reported = []
        page.on("console", lambda line: reported.append(line.text))
        for path in PUBLIC + TEACHERS:
            if path in TEACHERS:
                context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
            reported.clear()
            page.goto(address + path)
            for (name, width), scheme in product(WIDTHS.items(), ("light", "dark")):
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=scheme)
                wrong = barriers(page)
                if scrolls_sideways(page):
                    wrong.append("scrolls sideways")
                if wrong:
                    found[f"{path} {name} {scheme}"] = wrong
            if refused := [line for line in reported if "Content Security Policy" in line]:
                found[path] = refused
        browser.close()
    return found


def test_no_page_has_a_serious_accessibility_problem(live_server, teacher, client):
    assert client.login(email=teacher.user.email, password=PASSWORD)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(find_problems, live_server.url, session).result(timeout=300) == {}
