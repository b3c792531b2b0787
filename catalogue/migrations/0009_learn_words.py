from django.db import migrations

from catalogue.listings import indexed_text
from catalogue.spelling import learn_words


def learn(apps, schema_editor):
    """Learn the words of every listing, to which typing errors are corrected."""
    listing_model, word_model = apps.get_model("catalogue", "Listing"), apps.get_model("catalogue", "SearchWord")
    for listing in listing_model.objects.select_related("teacher", "subject__broader").iterator():
        indexed = indexed_text(listing)
        learn_words([indexed.title, indexed.teacher, indexed.place, indexed.names, indexed.text], word_model)


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0008_forms_of_words_are_text_vectors"),
    ]

    operations = [migrations.RunPython(learn, migrations.RunPython.noop, elidable=True)]
