"""Stripe's catalogue follows our plans; a repeat makes nothing twice, and an archived price is archived there."""

import pytest
from django.core.management import CommandError, call_command

from catalogue.models import Listing, ListingPrice
from courses.tests.factories import published_course
from payments.tests.conftest import forget_stripe
from subscriptions.models import ItemPrice, PlanPrice
from subscriptions.tests.factories import make_plan, make_price

pytestmark = pytest.mark.django_db


def test_products_and_prices_are_made_once_and_follow(stripe_sandbox):
    plan = make_plan(name="All courses", grants_courses=True)
    old, yearly = make_price(plan), make_price(plan, interval="year", amount_minor=29_000)
    for _ in range(2):
        call_command("sync_prices", verbosity=0)
    PlanPrice.objects.filter(pk=old.pk).update(is_active=False)
    new = make_price(plan, amount_minor=3100)
    plan.name = "Every course"
    plan.save(update_fields=["name"])
    call_command("sync_prices", verbosity=0)
    plan.refresh_from_db()
    assert stripe_sandbox.get(f"products/{plan.stripe_product_id}")["name"] == "Every course"
    found = {price["id"]: price for price in stripe_sandbox.get("prices", limit=100)["data"]}
    for price, is_active in ((old, False), (yearly, True), (new, True)):
        price.refresh_from_db()
        there = found.pop(price.stripe_price_id)
        assert (there["unit_amount"], there["active"]) == (price.amount_minor, is_active)
        assert there["recurring"]["interval"] == price.interval
    assert found == {}


def test_ids_that_were_lost_are_found_again(stripe_sandbox):
    price = make_price()
    call_command("sync_prices", verbosity=0)
    price.refresh_from_db()
    first = price.stripe_price_id
    PlanPrice.objects.update(stripe_price_id=None)
    call_command("sync_prices", verbosity=0)
    price.refresh_from_db()
    assert price.stripe_price_id == first


def test_a_silent_stripe_is_said_and_nothing_is_stored(settings):
    settings.STRIPE_API_HOST = "http://127.0.0.1:1"
    forget_stripe()
    price = make_price()
    with pytest.raises(CommandError, match="run it again"):
        call_command("sync_prices")
    price.refresh_from_db()
    assert price.stripe_price_id is None
    forget_stripe()


def run_with_items():
    call_command("sync_prices", "--items", verbosity=0)


def test_what_is_sold_once_is_there_too_and_follows_the_catalogue(stripe_sandbox):
    course = published_course()
    listing = Listing.objects.get(domain="courses", reference=str(course.pk))
    listing.prices.all().delete()
    for amount_minor, currency in ((5000, "GBP"), (9000, "JPY")):
        ListingPrice.objects.create(listing=listing, amount_minor=amount_minor, currency=currency)
    for _ in range(2):
        run_with_items()
    product = stripe_sandbox.get(f"products/lectern_courses_{course.pk}")
    assert (product["name"], product["active"]) == (course.title, True)
    assert at_stripe(stripe_sandbox, product) == {("gbp", 5000): True, ("jpy", 9000): True}

    ListingPrice.objects.filter(currency="GBP").update(amount_minor=6000)
    run_with_items()
    assert at_stripe(stripe_sandbox, product) == {("gbp", 5000): False, ("gbp", 6000): True, ("jpy", 9000): True}
    ListingPrice.objects.filter(currency="GBP").update(amount_minor=5000)
    run_with_items()
    assert at_stripe(stripe_sandbox, product) == {("gbp", 5000): True, ("gbp", 6000): False, ("jpy", 9000): True}

    Listing.objects.all().delete()
    run_with_items()
    assert set(at_stripe(stripe_sandbox, product).values()) == {False}
    assert not ItemPrice.objects.filter(is_active=True).exists()


def at_stripe(sandbox, product):
    """Each amount that the product was offered at, and whether it still is; each is one price."""
    prices = sandbox.get("prices", product=product["id"], limit=100)["data"]
    assert all(price["type"] == "one_time" for price in prices)
    found = {(price["currency"], price["unit_amount"]): price["active"] for price in prices}
    assert len(found) == len(prices)
    return found
