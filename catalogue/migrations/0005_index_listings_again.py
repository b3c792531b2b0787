from django.db import migrations

from catalogue.listings import indexed_text


def index_again(apps, schema_editor):
    """Index every listing as the search now compares words. The index holds nothing that is not in the listing."""
    listing_model = apps.get_model("catalogue", "Listing")
    for listing in listing_model.objects.select_related("teacher", "subject__broader").iterator():
        listing_model.objects.filter(pk=listing.pk).update(search=indexed_text(listing).vector())


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0004_search_words"),
    ]

    operations = [migrations.RunPython(index_again, migrations.RunPython.noop, elidable=True)]
