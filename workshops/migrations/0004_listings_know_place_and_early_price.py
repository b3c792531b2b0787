"""Listings of workshops learn the zone and day of their place, and until when an early-bird price holds."""

from zoneinfo import ZoneInfo

from django.db import migrations


def fill(apps, _editor):
    listings = apps.get_model("catalogue", "Listing").objects.filter(domain="workshops")
    workshops = apps.get_model("workshops", "Workshop").objects
    for listing in listings.iterator():
        workshop = workshops.filter(pk=listing.reference).first()
        if workshop is None:
            continue
        if not workshop.is_online and listing.starts_at:
            listing.time_zone = workshop.time_zone
            listing.starts_on = listing.starts_at.astimezone(ZoneInfo(workshop.time_zone)).date()
            listing.save(update_fields=["time_zone", "starts_on"])
        for price in workshop.prices.filter(early_bird_until__isnull=False):
            regular = listing.prices.filter(currency=price.currency, holds_until=None)
            if regular.update(holds_from=price.early_bird_until):
                listing.prices.create(
                    currency=price.currency,
                    amount_minor=price.early_bird_amount_minor,
                    holds_until=price.early_bird_until,
                )


def forget(apps, _editor):
    """The older constraint allows one price per currency: the regular one."""
    prices = apps.get_model("catalogue", "ListingPrice").objects
    prices.exclude(holds_until=None).delete()
    prices.update(holds_from=None)


class Migration(migrations.Migration):
    dependencies = [
        ("workshops", "0003_prices_within_card_limits"),
        ("catalogue", "0002_places_zones_and_prices_over_time"),
    ]

    operations = [migrations.RunPython(fill, forget)]
