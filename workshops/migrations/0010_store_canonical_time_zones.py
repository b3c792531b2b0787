"""Store the canonical name of each time zone: Etc/UTC and US/Pacific become UTC and America/Los_Angeles."""

from django.db import migrations

from accounts.places_and_languages import canonical_time_zones


def store_canonical_names(apps, schema_editor):
    rows = apps.get_model("workshops", "Workshop").objects
    for name in rows.order_by().values_list("time_zone", flat=True).distinct():
        canonical = canonical_time_zones().get(name.lower(), name)
        if canonical != name:
            rows.filter(time_zone=name).update(time_zone=canonical)


class Migration(migrations.Migration):
    dependencies = [("workshops", "0009_count_changes_of_calendar_entries")]

    operations = [migrations.RunPython(store_canonical_names, migrations.RunPython.noop)]
