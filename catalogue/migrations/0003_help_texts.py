from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0002_places_zones_and_prices_over_time"),
    ]

    operations = [
        migrations.AlterField(
            model_name="listing",
            name="search_text",
            field=models.TextField(blank=True, help_text="More text for the search."),
        ),
        migrations.AlterField(
            model_name="listing",
            name="starts_on",
            field=models.DateField(help_text="The date at the place. Empty online.", null=True),
        ),
        migrations.AlterField(
            model_name="listing",
            name="time_zone",
            field=models.CharField(
                blank=True,
                help_text="The zone of the place. Empty online, where the reader's zone is used.",
                max_length=50,
            ),
        ),
        migrations.AlterField(
            model_name="listingprice",
            name="holds_from",
            field=models.DateTimeField(help_text="Empty if it has no start.", null=True),
        ),
        migrations.AlterField(
            model_name="listingprice",
            name="holds_until",
            field=models.DateTimeField(
                help_text="It no longer applies at this time. Empty if it has no end.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="subject",
            name="chosen_motif",
            field=models.CharField(
                blank=True,
                choices=[
                    ("arches", "Arches"),
                    ("waves", "Waves"),
                    ("rays", "Rays"),
                    ("steps", "Steps"),
                    ("petals", "Petals"),
                    ("orbits", "Orbits"),
                    ("staves", "Staves"),
                    ("tiles", "Tiles"),
                    ("hills", "Hills"),
                    ("shelf", "Shelf"),
                ],
                help_text="Drawing on its covers. If empty, derived from the slug.",
                max_length=8,
                verbose_name="motif",
            ),
        ),
        migrations.AlterField(
            model_name="subject",
            name="chosen_tone",
            field=models.CharField(
                blank=True,
                choices=[
                    ("moss", "Moss"),
                    ("sea", "Sea"),
                    ("sky", "Sky"),
                    ("iris", "Iris"),
                    ("plum", "Plum"),
                    ("rose", "Rose"),
                    ("clay", "Clay"),
                    ("pine", "Pine"),
                ],
                help_text="Colour of its covers. If empty, derived from the slug.",
                max_length=8,
                verbose_name="tone",
            ),
        ),
    ]
