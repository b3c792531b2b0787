from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0005_index_listings_again"),
    ]

    operations = [
        migrations.AddField(
            model_name="listing",
            name="closes_at",
            field=models.DateTimeField(help_text="No longer on sale at this time. Empty if it has no end.", null=True),
        ),
        migrations.AddField(
            model_name="listing",
            name="cover",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Where its picture is stored. Empty if drawn.",
                max_length=100,
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(fields=["closes_at"], name="listing_by_closing"),
        ),
    ]
