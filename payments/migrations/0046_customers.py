"""Students' customers at Stripe, which follow the person's name and address."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# In the database, so that no way of changing a person is forgotten. An address that is not confirmed is not there yet.
FOLLOW = """
CREATE FUNCTION payments_customer_follows_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments_customer
       SET state = 'waiting', run_after = clock_timestamp(), attempts = 0, finished_at = NULL
     WHERE user_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER payments_customer_follows_user AFTER UPDATE OF email, full_name ON accounts_user
    FOR EACH ROW
    WHEN (ROW(OLD.email, OLD.full_name) IS DISTINCT FROM ROW(NEW.email, NEW.full_name))
    EXECUTE FUNCTION payments_customer_follows_user();
"""
LEAVE = """
DROP TRIGGER payments_customer_follows_user ON accounts_user;
DROP FUNCTION payments_customer_follows_user();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0045_number_past_documents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("parked", "Parked"),
                        ],
                        db_default="waiting",
                        default="waiting",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "priority",
                    models.SmallIntegerField(db_default=0, default=0, editable=False, help_text="Lower runs first."),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ("postponements", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                (
                    "run_after",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("last_error", models.TextField(blank=True, db_default="", default="", editable=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                ("reference", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("stripe_customer_id", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                ("sent_email", models.EmailField(blank=True, editable=False, max_length=254)),
                ("sent_name", models.CharField(blank=True, editable=False, max_length=150)),
                ("asked_at", models.DateTimeField(editable=False, null=True)),
                ("erase_requested_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stripe_customer",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["priority", "run_after"],
                        name="payments_customer_due",
                    )
                ],
            },
        ),
        migrations.RunSQL(FOLLOW, LEAVE),
    ]
