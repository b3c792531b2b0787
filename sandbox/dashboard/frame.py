"""The frame of every dashboard page: the menu, the clock, and the account whose data is shown."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from sandbox import clock
from sandbox.dashboard.cells import moment_of
from sandbox.dashboard.sections import BY_SLUG
from sandbox.options import options

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Payments", ("payments", "refunds", "disputes", "checkouts")),
    ("Customers", ("customers", "subscriptions", "invoices")),
    ("Catalogue", ("products", "prices", "coupons", "promotion-codes")),
    ("Balance", ("movements", "payouts")),
    ("Connect", ("accounts", "transfers", "application-fees")),
    ("Developers", ("events", "endpoints", "deliveries", "requests", "test-clocks", "controls", "everything")),
)
OTHER_PAGES = {
    "deliveries": "Deliveries",
    "requests": "API requests",
    "controls": "Time and faults",
    "everything": "Everything",
}


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    title: str
    href: str
    is_here: bool


def framed(request: HttpRequest, title: str, here: str = "") -> dict[str, Any]:
    """The context of the frame; `here` is the slug of the page's menu entry."""
    account = request.GET.get("account") or ""
    seen_as = account if account and account != options().account_id else ""
    return {
        "title": title,
        "menu": [(group, [_entry(slug, here, seen_as) for slug in slugs]) for group, slugs in GROUPS],
        "is_home": here == "home",
        "now": moment_of(clock.now()),
        "ahead": _ahead(),
        "seen_as": seen_as,
    }


def _entry(slug: str, here: str, seen_as: str) -> Entry:
    if slug in OTHER_PAGES:
        return Entry(OTHER_PAGES[slug], reverse(slug), slug == here)
    query = f"?{urlencode({'account': seen_as})}" if seen_as else ""
    return Entry(BY_SLUG[slug].title, reverse("section", args=[slug]) + query, slug == here)


def _ahead() -> str:
    """The clock's offset from the machine's, as text in the largest suitable unit."""
    seconds = round(clock.offset())
    if abs(seconds) < 1:
        return ""
    amount, unit = next((abs(seconds) / size, name) for name, size in _UNITS if abs(seconds) >= size)
    rounded = f"{amount:.1f}".removesuffix(".0")
    return f"{rounded} {unit}{'' if rounded == '1' else 's'} {'ahead' if seconds > 0 else 'behind'}"


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
