import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):
    """The vocabulary is made anew, because its rows are learnt from the listings again."""

    dependencies = [
        ("catalogue", "0007_listings_close_when_they_start"),
    ]

    operations = [
        migrations.DeleteModel(name="SearchWord"),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(help_text="As the search compares it.", max_length=60, unique=True)),
                ("written", models.CharField(help_text="As a listing writes it.", max_length=60)),
                ("forms", django.contrib.postgres.search.SearchVectorField(editable=False)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["forms"], name="search_word_forms"),
                ],
            },
        ),
    ]
