"""Listings so far were on sale until they started. Domains with other rules correct theirs afterwards."""

from django.db import migrations
from django.db.models import F


def fill(apps, _editor):
    apps.get_model("catalogue", "Listing").objects.filter(closes_at=None).update(closes_at=F("starts_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0006_listings_close_and_show_covers"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
