"""The browse page: search and filters over all offers."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST, require_safe

from catalogue.browsing import chips, find_listings
from catalogue.currencies import currency_chosen, display_currency, remember_currency
from catalogue.forms import BrowseForm
from catalogue.suggestions import suggest

PAGE_SIZE = 24


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Show the listings that match the filters. For htmx, render only the results and push their address."""
    form = BrowseForm(request.GET, display_currency=display_currency(request))
    form.is_valid()
    found = find_listings(form)
    page = Paginator(found.listings.for_cards(), PAGE_SIZE).get_page(request.GET.get("page"))
    active = chips(form, request.GET)
    context = {
        "form": form,
        "page": page,
        "found": found,
        "chips": active,
        "suggestions": None if page.object_list else suggest(form, active),
        "search_text": request.GET.get("q", "")[:200],
        "filters_open": bool(form.errors),
    }
    # When the visitor goes back in the browser's history, htmx requests the page again and needs all of it.
    is_partial = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    response = render(request, "catalogue/_browse_update.html" if is_partial else "catalogue/browse.html", context)
    if is_partial:
        response["HX-Push-Url"] = _address(request.GET)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response


def _address(query: QueryDict) -> str:
    """The address of this page without the empty filters that the form also sends."""
    filled = [(name, value) for name, values in query.lists() for value in values if value]
    path = reverse("catalogue:browse")
    return f"{path}?{urlencode(filled)}" if filled else path


def _path_of_referrer(request: HttpRequest) -> str:
    """The page of this site that the request comes from; empty if unknown or from another site."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    is_ours = referrer.netloc == request.get_host() and referrer.path.startswith("/")
    return f"{referrer.path}?{referrer.query}" if is_ours and referrer.query else referrer.path if is_ours else ""


@require_POST
def choose_currency(request: HttpRequest) -> HttpResponse:
    """Store the visitor's currency and redirect to the page they came from.

    The referrer takes precedence over the form's `next`: the browse page changes its address without a new header.
    """
    wanted = _path_of_referrer(request) or request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    response = redirect(wanted if is_ours and wanted.startswith("/") else reverse("catalogue:browse"))
    if request.POST.get("currency") in settings.CURRENCIES:
        remember_currency(response, request.POST["currency"])
        currency_chosen.send(sender=None, request=request, currency=request.POST["currency"])
    return response
