"""Follow the links of the site as one person sees it, and keep a few addresses of each kind of page."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

from django.urls import Resolver404, resolve

# How many pages of each kind are requested; a hundred lessons of courses would show nothing new.
EACH_KIND_AT_MOST = 3
# Files, which a browser does not show as pages.
NOT_PAGES = ("/media/", "/static/")
# Parameters with which the admin finds the way back; the page is the same without them.
PASSED_ALONG = {"_changelist_filters", "_to_field", "_popup"}
# dj-stripe's forty lists count as one kind of page, and so do their forms: none of them is ours.
OF_THE_MIRROR = re.compile(r"(?<=^admin:djstripe_)\w+_(?=[a-z]+$)")


class Visited(NamedTuple):
    """A requested address, the name of its view, the answer's status and whether it is a page to look at."""

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
    """Request every kind of page that links lead to, with the cookies of `request`, a browser context's."""
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
    """Return the name of the view that answers, with a mark if there is a query; empty if it is no page of ours."""
    path, _, query = address.partition("?")
    if path.startswith(NOT_PAGES):
        return ""
    try:
        name = OF_THE_MIRROR.sub("", resolve(path).view_name)
    except Resolver404:
        return "unknown"
    says_more = parse_qs(query, keep_blank_values=True).keys() - PASSED_ALONG
    return f"{name}?" if says_more else name


def links_in(html):
    reader = LinkReader()
    reader.feed(html)
    return reader.links
