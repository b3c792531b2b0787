from django.db import migrations

from catalogue.listings import indexed_text
from catalogue.spelling import learn_words


def index_again(apps, schema_editor):
    """Index every listing as the search now compares words. The index holds nothing that is not in the listing."""
    listing_model, word_model = apps.get_model("catalogue", "Listing"), apps.get_model("catalogue", "SearchWord")
    for listing in listing_model.objects.select_related("teacher", "subject__broader").iterator():
        indexed = indexed_text(listing)
        listing_model.objects.filter(pk=listing.pk).update(search=indexed.vector())
        learn_words([indexed.title, indexed.teacher, indexed.place, indexed.names, indexed.text], word_model)


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0004_search_words"),
    ]

    operations = [migrations.RunPython(index_again, migrations.RunPython.noop, elidable=True)]
