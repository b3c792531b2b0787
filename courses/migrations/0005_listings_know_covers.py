"""Listings of courses learn their cover."""

from django.db import migrations


def fill(apps, _editor):
    listings = apps.get_model("catalogue", "Listing").objects.filter(domain="courses")
    for course in apps.get_model("courses", "Course").objects.exclude(cover=""):
        listings.filter(reference=str(course.pk)).update(cover=course.cover.name)


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0004_courses_can_be_closed"),
        ("catalogue", "0006_listings_close_and_show_covers"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
