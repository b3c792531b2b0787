"""What every page shows of the site's own texts: their links in the footer."""

from __future__ import annotations

from django.http import HttpRequest

from pages.kinds import PageKind


def site_pages(_request: HttpRequest) -> dict[str, object]:
    """The pages linked from the footer, without a query."""
    return {"site_pages": list(PageKind)}
