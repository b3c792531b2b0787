"""Every kind of page that a guest, a student, a teacher and staff can reach by links."""

import os
import re

import pytest
from playwright.sync_api import expect

from demo.stack import CHECKOUT
from tests.browser.crawling import crawl
from tests.browser.shopper import ASKS_3DS
from tests.chromium import barriers, scrolls_sideways, torn_buttons

WIDTHS = {1280: "light", 390: "dark"}
# A colour on its way to another is no colour to judge.
COLOURS_HAVE_CHANGED = (
    "Promise.all(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished))"
)
# The narrowest screen that pages must fit.
NARROWEST = 320
SCREENSHOTS = CHECKOUT / ".local" / "screenshots"
# The admin has about two hundred similar pages: each is requested, but only these are checked in the browser.
STAFF_LOOK_AT = r"/admin/($|payments/(order|webhookevent|refund)/|notifications/(mail|alert)/|(workshops/workshop|accounts/teacher|accounts/user|auth/group)/)"


@pytest.fixture
def look_at(open_page):
    """Checks a page at each width, light and dark: axe finds no barrier, nothing is wider than the screen.

    Saves screenshots on request.
    """
    found = []

    def look_at(page, name):
        for width, scheme in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            # The admin's colours are Unfold's; a script changes them some time after the browser's.
            shown_scheme = "light" if "/admin/" in page.url else scheme
            page.emulate_media(color_scheme=shown_scheme, reduced_motion="reduce")
            page.evaluate(COLOURS_HAVE_CHANGED)
            if os.environ.get("SCREENSHOTS") == "1":
                page.screenshot(path=SCREENSHOTS / str(width) / f"{name}.png", full_page=True)
            # The autocomplete boxes of Django's admin have no label.
            met = barriers(page, exclude=[".select2-container"])
            found.extend(f"{name} at {width}: {barrier}" for barrier in met)
            if scrolls_sideways(page):
                found.append(f"{name} at {width}: scrolls sideways")
        found.extend(f"{name}: the button “{words}” falls into columns" for words in torn_buttons(page))
        page.set_viewport_size({"width": NARROWEST, "height": 900})
        if scrolls_sideways(page):
            found.append(f"{name} at {NARROWEST}: scrolls sideways")

    yield look_at
    assert not found, "\n".join(found)


def visit_everything(site, page, look_at, role, *, starts, only, **limits):
    """Request each kind of page, and check the first of each kind whose address matches `only`."""
    visited = crawl(page.context.request, site.base_url, starts, **limits)
    broken = [f"{one.status} {one.address}" for one in visited if one.status >= 500 or one.kind == "unknown"]
    assert not broken
    looked_at = set()
    for one in visited:
        kind = one.kind.rstrip("?")
        if one.is_page and kind not in looked_at and re.match(only, one.address):
            looked_at.add(kind)
            page.goto(one.address)
            look_at(page, f"{role}-{kind.replace(':', '-')}")
    return looked_at


def test_every_page_a_guest_can_reach_works_and_is_accessible(site, page, look_at):
    seen = visit_everything(site, page, look_at, "guest", starts=["/", "/cart/", "/demo/"], only="/")
    assert seen >= {"catalogue:home", "catalogue:browse", "workshops:detail", "courses:detail", "account_signup"}


def test_every_page_a_student_can_reach_works_and_is_accessible(site, student, mixed, look_at):
    student.fills_cart(mixed)
    look_at(student.page, "student-cart-mixed")
    student.goes_to_payment()
    look_at(student.page, "student-payment-page")
    student.pays_by_card()
    student.sees_paid()
    look_at(student.page, "student-order-paid")
    student.adds_course("Python from the First Line")
    starts = ["/", "/cart/", "/my/lessons/", "/my/workshops/", "/my/courses/", "/my/orders/", "/my/profile/"]
    only = "/(cart|my|lessons|accounts|teachers/[^/]+/request)/"
    seen = visit_everything(site, student.page, look_at, "student", starts=starts, only=only)
    assert seen >= {"payments:order", "bookings:lesson_detail", "workshops:ticket", "courses:learn", "courses:lesson"}


def test_every_page_a_teacher_can_reach_works_and_is_accessible(site, student, page, sign_in, look_at):
    student.adds_lesson()
    student.adds_course("Italian at the Table")
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    sign_in(page, "teacher")
    seen = visit_everything(site, page, look_at, "teacher", starts=["/teach/"], only="/teach/")
    assert seen >= {
        "payments:sales",
        "bookings:desk",
        "workshops:edit",
        "courses:course_outline",
        "courses:lesson_edit",
    }


def test_every_page_staff_can_reach_works_and_is_accessible(site, page, sign_in, look_at):
    sign_in(page, "staff")
    seen = visit_everything(site, page, look_at, "staff", starts=["/admin/"], only=STAFF_LOOK_AT, each_kind_at_most=1)
    assert seen >= {"admin:index", "admin:payments_order_changelist", "admin:notifications_mail_changelist"}
    assert seen >= {"admin:accounts_user_change", "admin:auth_group_change"}


def test_the_pages_of_authentication_and_refusal_are_accessible(student, mixed, look_at):
    student.adds_course(mixed.course)
    student.goes_to_payment()
    student.pays_by_card(ASKS_3DS)
    expect(student.page.locator("#authenticate")).to_be_visible()
    look_at(student.page, "student-bank-asks")
    student.page.locator("#fail").click()
    expect(student.page.get_by_role("alert")).to_be_visible()
    look_at(student.page, "student-payment-refused")
