"""The domain of private lessons is stored under the name that integrators know: private_teaching."""

from django.db import migrations

STORED = [("payments", "OrderLine"), ("payments", "CartLine"), ("catalogue", "Listing")]
SWITCH = "checkout-closed-{}"


def rename(apps, old, new):
    for app, model in STORED:
        apps.get_model(app, model).objects.filter(domain=old).update(domain=new)
    switches = apps.get_model("waffle", "Switch").objects
    switches.filter(name=SWITCH.format(old)).update(name=SWITCH.format(new))


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0002_prices_within_card_limits"),
        ("catalogue", "0001_initial"),
        ("payments", "0004_payments_replace_attempts"),
        ("waffle", "0004_update_everyone_nullbooleanfield"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, _editor: rename(apps, "bookings", "private_teaching"),
            lambda apps, _editor: rename(apps, "private_teaching", "bookings"),
        )
    ]
