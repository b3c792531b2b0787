"""Fixtures for tests with a real browser on the running site."""

import json
from collections import defaultdict
from itertools import count
from typing import NamedTuple

import pytest
from playwright.sync_api import Error, expect, sync_playwright

from demo.stack import CHECKOUT
from tests.browser.shopper import Shopper
from tests.chromium import launch_chromium

FAILURES = CHECKOUT / ".local" / "test" / "failures"
# A shared machine may be slow; a passing test never waits this long.
PATIENCE_MS = 30_000


# In this package only: while Playwright runs, its event loop makes Django refuse database queries in the same process.
@pytest.fixture(scope="package")
def browser():
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        chromium = launch_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


class Profiles:
    """Browser profiles, each used by one person of one test at a time and cleared afterwards.

    Only the cache of styles and scripts is kept. Fetching and compiling them for every person took a second of
    processor time each, a fifth of the time of all tests.
    """

    def __init__(self, browser, site):
        self.browser = browser
        self.site = site
        self.free = defaultdict(list)

    def lend(self, **options):
        """Return a page of a profile with these options, and a function that returns the profile."""
        profiles = self.free[repr(sorted(options.items()))]
        if not profiles:
            context = self.browser.new_context(base_url=self.site.base_url, locale="en-GB", **options)
            context.set_default_timeout(PATIENCE_MS)
            profiles.append(context)
        context = profiles.pop()

        def give_back():
            self.clear(context)
            profiles.append(context)

        return context.new_page(), give_back

    def clear(self, context):
        context.clear_cookies()
        context.clear_permissions()
        for page in context.pages:
            devtools = context.new_cdp_session(page)
            for origin in (self.site.base_url, self.site.sandbox_url):
                devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
            page.close()


# The same scope as the browser, because a profile belongs to it.
@pytest.fixture(scope="package")
def profiles(browser, running_site):
    return Profiles(browser, running_site)


@pytest.fixture
def open_page(site, profiles, request):
    """Opens pages, each in a separate browser profile: `open_page(width=390)`.

    A script error or a violation of the content security policy fails the test. A failing test saves screenshots in
    .local/test/failures.
    """
    pages, lent, errors = [], [], []

    def open_one(*, width=1280, height=900, **options):
        page, give_back = profiles.lend(viewport={"width": width, "height": height}, **options)
        lent.append(give_back)
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        # The browser also reports each 4xx here; tests cause those on purpose.
        page.on(
            "console",
            lambda message: (
                errors.append(f"{page.url}: {message.text}")
                if message.type == "error" and not message.text.startswith("Failed to load resource")
                else None
            ),
        )
        pages.append(page)
        return page

    yield open_one
    if request.node.stash.get(FAILED, False):
        FAILURES.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(pages):
            try:
                page.screenshot(path=FAILURES / f"{request.node.name}-{number}.png", full_page=True)
            except Error:
                continue
    for give_back in lent:
        give_back()
    assert not errors


@pytest.fixture
def page(open_page):
    """One page on a desktop screen."""
    return open_page()


@pytest.fixture
def sign_in(site):
    """Signs a page in as one of the demo's accounts: `sign_in(page, "student")`."""

    def sign_in(page, role):
        page.goto("/demo/")
        page.get_by_role("button", name=f"Sign in as {role}").click()
        page.wait_for_url(f"{site.base_url}/")

    return sign_in


class Mixed(NamedTuple):
    """The items of a mixed cart besides a private lesson: two places in a workshop, and a course."""

    workshop: str
    course: str


# Used in turn, so that no workshop runs out of places. Elena Marchetti's are left out, because she gives the lessons.
WORKSHOPS = ("A Day at the Oven", "Skies in an Evening", "Night Walk with a Camera", "From Spreadsheet to Program")
WORKSHOPS += ("Read a Study in an Afternoon", "An Evening of Irish Tunes", "Portraits by a North Window")
COURSES = ("Kana in Two Weeks", "Seeing Light", "Reading Music from Scratch")
_turns = count()
STUDENTS_AT_ONCE = 10


@pytest.fixture
def mixed():
    turn = next(_turns)
    return Mixed(workshop=WORKSHOPS[turn % len(WORKSHOPS)], course=COURSES[turn % len(COURSES)])


@pytest.fixture(scope="session")
def waiting_students(running_site):
    """Returns unused students. Several are made at a time, because a management command takes a while."""
    students = []

    def take():
        if not students:
            made = f"from tests.browser.people import print_students; print_students({STUDENTS_AT_ONCE})"
            students.extend(json.loads(running_site.manage("shell", "--no-imports", "-c", made).splitlines()[-1]))
        return students.pop(0)

    return take


@pytest.fixture
def new_student(site, open_page, waiting_students):
    """Opens a browser as a new student, signed in, with a lesson to add to the cart."""

    def new_student(**options):
        student = waiting_students()
        page = open_page(**options)
        page.context.add_cookies([{"name": "sessionid", "value": student.pop("session"), "url": site.base_url}])
        return Shopper(site, page, **student)

    return new_student


@pytest.fixture
def student(new_student):
    """A new student with a desktop screen."""
    return new_student()
