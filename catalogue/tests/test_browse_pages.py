"""The browse page apart from its results: filters, pages, htmx, currency."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalogue.tests.factories import ListingFactory, SubjectFactory
from money import Money

pytestmark = pytest.mark.django_db
BROWSE = "/browse/"


def count_queries(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("query", ["", "?q=offer", "?subject=subject-a&currency=GBP&sort=cheapest&level=beginner"])
def test_the_number_of_queries_does_not_grow_with_the_listings(client, query):
    subject = SubjectFactory(name="Subject A")
    counts = []
    for number in (1, 9, 90):
        for _ in range(number):
            ListingFactory(subject=subject, levels=["beginner"])
        counts.append(count_queries(client, BROWSE + query))
    assert counts[0] == counts[1] == counts[2] <= 11


def test_active_filters_can_be_removed_one_at_a_time(client):
    ListingFactory(title="Lute", levels=["beginner"])
    response = client.get(BROWSE, {"q": "lute", "level": "beginner", "page": "1"})
    chips = {chip.label: chip.without for chip in response.context["chips"]}
    assert chips == {"“lute”": "level=beginner", "Beginner": "q=lute"}
    assert "?level=beginner" in response.content.decode()


def test_an_empty_result_explains_itself_and_links_to_everything(client):
    assert "Nothing is on offer yet" in client.get(BROWSE).content.decode()
    ListingFactory(subject=SubjectFactory(name="Lute"))
    page = client.get(BROWSE, {"level": "advanced"}).content.decode()
    assert "No offers match all these filters" in page
    assert "?subject=lute" in page
    assert 'href="/browse/">Show everything' in page


def test_pages_keep_the_filters(client):
    for _ in range(30):
        ListingFactory(levels=["beginner"])
    response = client.get(BROWSE, {"level": "beginner"})
    assert 'href="?level=beginner&amp;page=2"' in response.content.decode()
    assert len(client.get(BROWSE, {"level": "beginner", "page": "2"}).context["page"].object_list) == 6


def test_htmx_gets_only_the_results_and_a_short_address(client):
    ListingFactory(title="Lute")
    response = client.get(BROWSE, {"q": "lute", "level": "", "place": ""}, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert "<html" not in page
    assert "Lute" in page
    assert "1 offer<" in page
    assert response["HX-Push-Url"] == "/browse/?q=lute"
    assert "HX-Request" in response["Vary"]


def test_restoring_history_gives_htmx_the_whole_page(client):
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in client.get(BROWSE, headers=headers).content.decode()


def test_a_pushed_address_cannot_contain_a_line_break(client):
    response = client.get(BROWSE, {"q": "a\r\nSet-Cookie: x=1"}, headers={"HX-Request": "true"})
    assert "\n" not in response["HX-Push-Url"]


def test_the_chosen_currency_is_remembered(client):
    ListingFactory(prices=[Money(1234, "GBP"), Money(5678, "EUR")])
    assert "£12.34" in client.get(BROWSE).content.decode()
    response = client.post(reverse("catalogue:currency"), {"currency": "EUR", "next": "/browse/?q=a"})
    assert response["Location"] == "/browse/?q=a"
    assert response.cookies["display_currency"]["httponly"]
    assert "€56.78" in client.get(BROWSE).content.decode()
    client.post(reverse("catalogue:currency"), {"currency": "XXX"})
    assert "€56.78" in client.get(BROWSE).content.decode()


def test_a_forged_currency_cookie_is_ignored(client):
    client.cookies["display_currency"] = "<b>"
    ListingFactory(prices=[Money(1234, "GBP")])
    assert "£12.34" in client.get(BROWSE).content.decode()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "http:evil.example", "https:///evil.example", "\x00//evil.example", " //evil.example",
        "/\t/evil.example", "", "evil", "data:text/html,x", "http://testserver@evil.example/", "\r\n/x",
    ],
)  # fmt: skip
def test_choosing_a_currency_never_redirects_to_another_site(client, target):
    response = client.post(reverse("catalogue:currency"), {"currency": "EUR", "next": target})
    assert response["Location"] == "/browse/"


def test_choosing_a_currency_needs_a_post_with_a_csrf_token(client):
    from django.test import Client

    assert client.get(reverse("catalogue:currency")).status_code == 405
    assert Client(enforce_csrf_checks=True).post(reverse("catalogue:currency"), {"currency": "EUR"}).status_code == 403
