from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0004_delivery_attempts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="storedobject",
            name="object_id",
            field=models.CharField(max_length=120),
        ),
        migrations.AddConstraint(
            model_name="storedobject",
            constraint=models.UniqueConstraint(fields=("object_id", "kind", "account"), name="one_object_of_an_id"),
        ),
    ]
