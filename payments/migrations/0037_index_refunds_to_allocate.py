from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs: students wait while a refund is written.
    atomic = False
    dependencies = [("payments", "0036_refunds_after_disputes")]

    operations = [
        AddIndexConcurrently(
            model_name="refund",
            index=models.Index(
                fields=["payment"],
                condition=models.Q(reason="made_at_stripe", allocated_minor__lt=models.F("amount_minor")),
                name="refund_to_allocate",
            ),
        ),
    ]
