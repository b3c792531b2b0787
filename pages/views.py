"""The pages of the site's own texts."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from pages.kinds import PageKind
from pages.models import PageVersion
from pages.publishing import current_version


@require_safe
def show_page(request: HttpRequest, kind: str) -> HttpResponse:
    """The current version of a page."""
    version = current_version(PageKind(kind))
    if version is None:
        raise Http404
    return render(request, "pages/page_show.html", {"version": version, "is_current": True})


@require_safe
def show_version(request: HttpRequest, kind: str, number: str) -> HttpResponse:
    """One version of a page, for those who accepted it."""
    version = get_object_or_404(PageVersion, kind=kind, number=int(number))
    is_current = current_version(PageKind(kind)) == version
    return render(request, "pages/page_show.html", {"version": version, "is_current": is_current})
