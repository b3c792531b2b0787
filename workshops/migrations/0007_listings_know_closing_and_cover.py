"""Listings of workshops learn when registration closes, and their cover."""

from django.db import migrations
from django.db.models import Max, Min


def fill(apps, _editor):
    listings = apps.get_model("catalogue", "Listing").objects.filter(domain="workshops")
    workshops = apps.get_model("workshops", "Workshop").objects
    for listing in listings.iterator():
        workshop = workshops.filter(pk=listing.reference).first()
        if workshop is None:
            continue
        times = workshop.sessions.aggregate(first=Min("starts_at"), last=Max("ends_at"))
        closes_at = workshop.registration_closes_at or times["first"]
        listing.closes_at = min(closes_at, times["last"]) if closes_at and times["last"] else listing.starts_at
        listing.cover = workshop.cover.name or ""
        listing.save(update_fields=["closes_at", "cover"])


class Migration(migrations.Migration):
    dependencies = [
        ("workshops", "0006_workshops_can_be_cancelled"),
        ("catalogue", "0007_listings_close_when_they_start"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
