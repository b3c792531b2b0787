"""Follow the links of the site as one person sees it, and request a few addresses of each kind of page."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

from django.urls import Resolver404, resolve

# How many pages of each kind are requested; more pages of the same kind would show nothing new.
EACH_KIND_AT_MOST = 3
# Files, which a browser does not show as pages.
NOT_PAGES = ("/media/", "/static/")
# Parameters with which the admin returns to the previous page; the page is the same without them.
IGNORED_PARAMETERS = {"_changelist_filters", "_to_field", "_popup"}
# dj-stripe's forty lists count as one kind of page, and so do their forms, because they are not part of this project.
OF_THE_MIRROR = re.compile(r"(?<=^admin:djstripe_)\w+_(?=[a-z]+$)")


class Visited(NamedTuple):
    """A requested address, the name of its view, the response's status, and whether it is an HTML page."""

    address: str
    kind: str
    status: int
    is_page: bool


class LinkReader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attributes):
        if tag == "a" and (href := dict(attributes).get("href")):
            self.links.append(href)


def crawl(request, base_url, starts, *, each_kind_at_most=EACH_KIND_AT_MOST):
    """Request every kind of page that can be reached by links. `request` is a browser context's, with its cookies."""
    visited, waiting, seen, kinds = [], list(starts), set(starts), Counter()
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if kinds[kind] >= each_kind_at_most:
            continue
        kinds[kind] += 1
        answer = request.get(address, max_redirects=0)
        is_page = answer.ok and "text/html" in answer.headers.get("content-type", "")
        is_redirect = answer.status in (301, 302, 303)
        visited.append(Visited(address, kind, answer.status, is_page))
        links = links_in(answer.text()) if is_page else [answer.headers["location"]] if is_redirect else []
        for link in links:
            target = urlsplit(urljoin(f"{base_url}{address}", link))
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            if f"{target.scheme}://{target.netloc}" == base_url and path not in seen and kind_of(path):
                seen.add(path)
                waiting.append(path)
    return visited


def kind_of(address):
    """Return the name of the view, with a question mark if there is a query; empty for files."""
    path, _, query = address.partition("?")
    if path.startswith(NOT_PAGES):
        return ""
    try:
        name = OF_THE_MIRROR.sub("", resolve(path).view_name)
    except Resolver404:
        return "unknown"
    has_parameters = parse_qs(query, keep_blank_values=True).keys() - IGNORED_PARAMETERS
    return f"{name}?" if has_parameters else name


def links_in(html):
    reader = LinkReader()
    reader.feed(html)
    return reader.links
