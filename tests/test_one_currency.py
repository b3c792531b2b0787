"""The visitor's currency is the same on cards, pages, in the cart, in filters and in sorting."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tests.factories import TeacherFactory
from bookings.tests import factories as lessons
from catalogue.currencies import display_currency
from catalogue.models import Listing
from courses.tests.factories import published_course
from money import Money
from workshops.publishing import PricePlan, SessionPlan, save_workshop
from workshops.tests.factories import make_workshop

SITE = ["GBP", "EUR", "USD", "JPY"]
AMOUNTS = {"GBP": Money(4500, "GBP"), "EUR": Money(5200, "EUR"), "USD": Money(5900, "USD"), "JPY": Money(8400, "JPY")}
SHOWN = {"GBP": "£45.00", "EUR": "€52.00", "USD": "US$59.00", "JPY": "¥8,400"}


@pytest.fixture(autouse=True)
def four_currencies(settings):
    settings.CURRENCIES, settings.DEFAULT_CURRENCY = SITE, "GBP"


def words(client, path, **query):
    response = client.get(path, query)
    assert response.status_code == 200, path
    body = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


def prices_in(text):
    return set(re.findall(r"(?:£|€|US\$|¥)[\d,.]*\d", text))


def titles(client, **query):
    return [listing.title for listing in client.get("/browse/", query).context["page"]]


def choosing(currency):
    client = Client()
    client.post("/browse/currency/", {"currency": currency, "next": "/"})
    return client


def workshop(**fields):
    prices = [PricePlan(amount=amount) for amount in fields.pop("amounts", AMOUNTS.values())]
    return make_workshop(prices=prices, **fields)


# --- The first guess ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "currency"),
    [
        ("en-US", "USD"), ("en-US,en;q=0.9", "USD"), ("de-DE", "EUR"), ("de", "EUR"), ("ja-JP", "JPY"), ("ja", "JPY"),
        ("en-GB,en-US;q=0.9", "GBP"), ("en;q=0.1, ja-JP", "JPY"), ("*, de-DE", "EUR"), ("EN-us", "USD"),
        ("fr-FR,fr;q=0.8,en;q=0.5", "EUR"), ("es-US", "USD"), ("sr-Latn-ME", "EUR"),
        # The site does not sell in these, and English as a second language does not make anyone American.
        ("sv-SE", "GBP"), ("sv-SE,sv;q=0.9,en-US;q=0.8,en;q=0.7", "GBP"), ("fr-CA", "GBP"), ("de-CH", "GBP"),
        ("", "GBP"), ("*", "GBP"), ("garbage", "GBP"), ("xx-YY", "GBP"), ("de-DE;q=nonsense", "GBP"), ("-", "GBP"),
        ("en-ZZ", "GBP"), ("../../etc/passwd", "GBP"), ("a" * 5000, "GBP"), (";;;,,,", "GBP"), ("de_DE", "GBP"),
        ("es-419", "GBP"), ("en-001", "GBP"), ("日本語", "GBP"),
    ],
)  # fmt: skip
def test_the_first_guess_comes_from_the_browser(rf, language, currency):
    assert display_currency(rf.get("/", headers={"Accept-Language": language})) == currency


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(min_codepoint=32, max_codepoint=255)))
def test_whatever_a_browser_sends_is_one_of_the_site_s(rf, language):
    assert display_currency(rf.get("/", headers={"Accept-Language": language})) in SITE


@pytest.mark.parametrize("language", ["en-US", "ja-JP", "garbage"])
def test_a_choice_wins_over_the_guess(rf, language):
    request = rf.get("/", headers={"Accept-Language": language})
    request.COOKIES["display_currency"] = "EUR"
    assert display_currency(request) == "EUR"


def test_a_currency_the_site_does_not_sell_in_is_not_guessed(rf, settings):
    settings.CURRENCIES = ["GBP", "EUR"]
    assert display_currency(rf.get("/", headers={"Accept-Language": "en-US"})) == "GBP"


@pytest.mark.django_db
def test_no_cache_hands_one_guess_to_another_visitor(client):
    response = client.get("/", headers={"Accept-Language": "de-DE"})
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in response["Vary"].split(",")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "shown"), [("en-US", "USD"), ("de-DE", "EUR"), ("ja-JP", "JPY"), ("sv-SE", "GBP")]
)
def test_a_first_visit_shows_the_guess_from_card_to_cart(language, shown):
    one = workshop()
    client = Client(headers={"Accept-Language": language})
    for path in ("/", "/browse/", one.get_absolute_url()):
        assert prices_in(words(client, path)) == {SHOWN[shown]}, path
    client.post(f"/workshops/{one.slug}/add/", {"quantity": 1})
    assert prices_in(words(client, "/cart/")) == {SHOWN[shown]}


# --- The choice ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("currency", SITE)
def test_every_page_and_the_cart_speak_of_the_chosen_currency(currency):
    teacher = TeacherFactory()
    one = workshop(teacher=teacher)
    course = published_course(teacher=teacher, prices=list(AMOUNTS.values()))
    offer = lessons.offer(teacher=teacher, prices=list(AMOUNTS.values()))
    client = choosing(currency)
    urls = [thing.get_absolute_url() for thing in (one, course, offer, teacher)]
    for path in ("/", "/browse/", "/browse/?sort=cheapest", *urls):
        assert prices_in(words(client, path)) == {SHOWN[currency]}, path
    client.post(f"/workshops/{one.slug}/add/", {"quantity": 1})
    client.post(f"/courses/{course.slug}/cart/")
    total = str(AMOUNTS[currency] * 2)
    assert client.get("/cart/").context["priced"].currency == currency
    assert {SHOWN[currency], *prices_in(total)} >= prices_in(words(client, "/cart/"))


@pytest.mark.django_db
@pytest.mark.parametrize("currency", ["EUR", "USD", "JPY"])
def test_a_filled_cart_follows_the_choice(currency):
    one = workshop()
    client = choosing("GBP")
    client.post(f"/workshops/{one.slug}/add/", {"quantity": 1})
    client.post("/browse/currency/", {"currency": currency})
    assert prices_in(words(client, "/cart/")) == {SHOWN[currency]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("offered", "chosen", "shown"),
    [(["GBP"], "JPY", "GBP"), (["JPY", "EUR"], "USD", "EUR"), (["JPY", "USD"], "GBP", "USD"), (["JPY"], "EUR", "JPY")],
)
def test_what_is_not_sold_in_it_shows_the_one_it_has_everywhere(offered, chosen, shown):
    one = workshop(amounts=[AMOUNTS[currency] for currency in offered])
    client = choosing(chosen)
    for path in ("/", "/browse/", one.get_absolute_url(), one.teacher.get_absolute_url()):
        assert prices_in(words(client, path)) == {SHOWN[shown]}, path
    client.post(f"/workshops/{one.slug}/add/", {"quantity": 1})
    assert prices_in(words(client, "/cart/")) == {SHOWN[shown]}


@pytest.mark.django_db
def test_a_course_and_an_offer_show_what_the_cart_takes():
    teacher = TeacherFactory()
    two = [AMOUNTS["JPY"], AMOUNTS["EUR"]]
    course, offer = published_course(teacher=teacher, prices=two), lessons.offer(teacher=teacher, prices=two)
    client = choosing("USD")
    for path in (course.get_absolute_url(), offer.get_absolute_url(), teacher.get_absolute_url()):
        assert prices_in(words(client, path)) == {SHOWN["EUR"]}, path
    client.post(f"/courses/{course.slug}/cart/")
    assert prices_in(words(client, "/cart/")) == {SHOWN["EUR"]}


@pytest.mark.django_db
def test_filters_and_sorting_compare_in_the_chosen_currency():
    workshop(title="Cheap in pounds", amounts=[Money(1000, "GBP"), Money(9900, "USD")])
    workshop(title="Cheap in dollars", amounts=[Money(2000, "GBP"), Money(5000, "USD")])
    pounds, dollars = choosing("GBP"), choosing("USD")
    assert titles(pounds, sort="cheapest") == ["Cheap in pounds", "Cheap in dollars"]
    assert titles(dollars, sort="cheapest") == ["Cheap in dollars", "Cheap in pounds"]
    assert titles(pounds, max_price="15") == ["Cheap in pounds"]
    assert titles(dollars, max_price="60") == ["Cheap in dollars"]
    assert "Price in USD" in words(dollars, "/browse/")


@pytest.mark.django_db
def test_asking_what_is_sold_in_a_currency_is_not_choosing_it():
    workshop(title="Pounds only", amounts=[AMOUNTS["GBP"]])
    workshop(title="Both", amounts=[AMOUNTS["GBP"], AMOUNTS["EUR"]])
    client = choosing("GBP")
    assert titles(client, currency="EUR") == ["Both"]
    assert prices_in(words(client, "/browse/", currency="EUR")) == {SHOWN["GBP"]}
    assert prices_in(words(client, "/browse/")) == {SHOWN["GBP"]}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/browse/", "/cart/", "/accounts/login/"])
def test_every_header_offers_every_currency_and_leads_back(client, path):
    page = client.get(path).content.decode()
    header = page.partition("<header")[2].partition("</header>")[0]
    for currency in SITE:
        assert f'name="currency" value="{currency}"' in header
    response = client.post("/browse/currency/", {"currency": "JPY", "next": path})
    assert response["Location"] == path


@pytest.mark.django_db
def test_the_page_a_visitor_comes_from_counts_more_than_the_one_its_header_was_made_for(client):
    """Filters change the address of the browse page without a new header."""
    response = client.post(
        "/browse/currency/",
        {"currency": "JPY", "next": "/browse/"},
        headers={"Referer": "http://testserver/browse/?q=lute"},
    )
    assert response["Location"] == "/browse/?q=lute"
    for elsewhere in (
        "http://evil.example/browse/",
        "http://testserver@evil.example/",
        "//evil.example",
        "\\\\x",
        "[",
        "",
    ):
        response = client.post(
            "/browse/currency/", {"currency": "JPY", "next": "/browse/"}, headers={"Referer": elsewhere}
        )
        assert response["Location"] == "/browse/"


# --- Early birds --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_early_price_ends_by_itself_on_cards_in_filters_sorting_page_and_cart():
    now = datetime(2026, 12, 1, 9, tzinfo=UTC)
    until = now + timedelta(days=3)
    with time_machine.travel(now, tick=False) as clock:
        early = make_workshop(
            title="Early",
            prices=[
                PricePlan(amount=Money(8500, "GBP"), early_bird=Money(7200, "GBP"), early_bird_until=until),
                PricePlan(amount=Money(9900, "USD"), early_bird=Money(8800, "USD"), early_bird_until=until),
            ],
        )
        workshop(title="Steady", amounts=[Money(8000, "GBP"), Money(9000, "USD")])
        for moment, price, found, order in (
            (until - timedelta(seconds=1), "72", ["Early"], ["Early", "Steady"]),
            (until, "85", [], ["Steady", "Early"]),
        ):
            clock.move_to(moment)
            client = choosing("GBP")
            assert prices_in(words(client, "/browse/", q="early")) == {f"£{price}.00"}
            assert f"£{price}.00" in words(client, early.get_absolute_url())
            assert titles(client, min_price="70", max_price="75") == found
            assert titles(client, sort="cheapest") == order
            assert titles(client, sort="dearest") == order[::-1]
            assert titles(choosing("USD"), max_price="89") == found
            client.post(f"/workshops/{early.slug}/add/", {"quantity": 1})
            assert prices_in(words(client, "/cart/")) == {f"£{price}.00"}


@pytest.mark.django_db
def test_a_change_of_price_leaves_no_older_one_behind():
    until = datetime.now(UTC) + timedelta(days=3)
    one = make_workshop(
        prices=[PricePlan(amount=Money(8500, "GBP"), early_bird=Money(7200, "GBP"), early_bird_until=until)]
    )

    sessions = [SessionPlan(starts_at=each.starts_at, ends_at=each.ends_at) for each in one.sessions.all()]
    save_workshop(workshop=one, sessions=sessions, prices=[PricePlan(amount=Money(6000, "GBP"))])
    listing = Listing.objects.get()
    assert [str(price) for price in listing.prices.all()] == ["£60.00"]
    assert str(listing.price_in("GBP")) == "£60.00"
