"""Axe in a real browser: the pages of requests to any teacher, on a phone and a desktop, in light and dark."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import sync_playwright

from accounts.tests.factories import UserFactory
from bookings.availability import set_availability
from bookings.proposals import decline_request
from bookings.tests import factories as make
from tests.chromium import barriers, launch_chromium, scrolls_sideways

WIDTHS = {"phone": 390, "desk": 1280}


def session_of(user):
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def pages(transactional_db):
    """The session of each person, and the pages they look at."""
    cello = make.subject(name="Cello", slug="cello")
    first, second = (make.teacher_of(cello, user__full_name=name) for name in ("Anna Larsson", "Bo Zhang"))
    make.open_request(teacher=second)
    student = UserFactory(full_name="Sam Okafor")
    with_teacher = make.open_request(student=student, is_to_any=True, subject=cello, preferred_days=["mon"])
    decline_request(request_id=with_teacher.pk, teacher=first, note="My weeks are full")
    with_staff = make.open_request(student=student, is_to_any=True)
    set_availability(teacher=second, is_paused=True)
    return {
        session_of(student): [
            with_teacher.get_absolute_url(),
            with_staff.get_absolute_url(),
            reverse("bookings:request_any"),
            reverse("bookings:requests_mine"),
        ],
        session_of(second.user): [
            reverse("bookings:desk"),
            reverse("bookings:availability"),
            reverse("bookings:request_answer", args=[with_teacher.pk]),
        ],
        session_of(UserFactory(is_staff=True, is_superuser=True)): [
            reverse("admin:bookings_lessonrequest_change", args=[with_teacher.pk]),
            reverse("admin:bookings_lessonrequest_change", args=[with_staff.pk]),
            reverse("admin:bookings_lessonrequest_move", args=[with_teacher.pk]),
            reverse("admin:bookings_teacherload_changelist"),
        ],
    }


def find_problems(address, pages, folder):
    """Return the problems of each page, and leave pictures. In its own thread, without Django's connection."""
    found = {}
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        for session, paths in pages.items():
            context = browser.new_context(reduced_motion="reduce")
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
            page = context.new_page()
            for path in paths:
                answer = page.goto(address + path)
                assert answer.status == 200, path
                for (name, width), scheme in product(WIDTHS.items(), ("light", "dark")):
                    page.set_viewport_size({"width": width, "height": 800})
                    page.emulate_media(color_scheme=scheme)
                    page.screenshot(
                        path=folder / f"{path.strip('/').replace('/', '-')}-{name}-{scheme}.png", full_page=True
                    )
                    # The admin's own markup is not ours to judge.
                    wrong = [] if path.startswith("/admin/") else barriers(page)
                    if scrolls_sideways(page):
                        wrong.append("scrolls sideways")
                    if wrong:
                        found[f"{path} {name} {scheme}"] = wrong
            context.close()
        browser.close()
    return found


def test_no_page_of_requests_to_any_teacher_has_a_serious_accessibility_problem(live_server, pages, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(find_problems, live_server.url, pages, tmp_path).result(timeout=300) == {}
