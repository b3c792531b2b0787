"""Read and publish the texts."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from pages.kinds import PageKind
from pages.models import PageVersion


def current_version(kind: PageKind) -> PageVersion | None:
    """The version that is shown; None if the page has no text."""
    return PageVersion.objects.filter(kind=kind).order_by("-number").first()


def publish_version(*, kind: PageKind, text: str, by: User) -> PageVersion:
    """Publish a text as the next version of a page. Earlier versions stay. The same text again changes nothing."""
    with transaction.atomic():
        # Two people may publish at once: the second waits here, then reads what the first published.
        list(PageVersion.objects.select_for_update().filter(kind=kind).only("pk"))
        current = current_version(kind)
        if current and current.text == text:
            return current
        number = current.number + 1 if current else 1
        return PageVersion.objects.create(kind=kind, number=number, text=text, published_by=by)
