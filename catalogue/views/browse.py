"""Search and filters over everything that is on offer."""

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

PAGE_SIZE = 24


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Show what is on offer. htmx gets only the results, and puts their address in the address bar."""
    form = BrowseForm(request.GET, display_currency=display_currency(request))
    form.is_valid()
    listings = find_listings(form).for_cards()
    page = Paginator(listings, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "chips": chips(form, request.GET),
        "search_text": request.GET.get("q", "")[:200],
        "filters_open": bool(form.errors),
    }
    # Coming back with the browser's button, htmx asks again and needs the whole page.
    is_partial = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    response = render(request, "catalogue/_browse_update.html" if is_partial else "catalogue/browse.html", context)
    if is_partial:
        response["HX-Push-Url"] = _address(request.GET)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response


def _address(query: QueryDict) -> str:
    """Return this page's address without the filters that are off, which a form sends along."""
    filled = [(name, value) for name, values in query.lists() for value in values if value]
    path = reverse("catalogue:browse")
    return f"{path}?{urlencode(filled)}" if filled else path


def _path_we_sent(request: HttpRequest) -> str:
    """The page of ours that a request comes from; empty if the browser does not say."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    is_ours = referrer.netloc == request.get_host() and referrer.path.startswith("/")
    return f"{referrer.path}?{referrer.query}" if is_ours and referrer.query else referrer.path if is_ours else ""


@require_POST
def choose_currency(request: HttpRequest) -> HttpResponse:
    """Remember the currency to show prices in, and go back.

    The browse page changes its address without a new header, so the page the visitor comes from counts first.
    """
    wanted = _path_we_sent(request) or request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    response = redirect(wanted if is_ours and wanted.startswith("/") else reverse("catalogue:browse"))
    if request.POST.get("currency") in settings.CURRENCIES:
        remember_currency(response, request.POST["currency"])
        currency_chosen.send(sender=None, request=request, currency=request.POST["currency"])
    return response
