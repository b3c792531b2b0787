import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.places_and_languages


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "email",
                    models.EmailField(
                        error_messages={"unique": "This address is in use."},
                        max_length=254,
                        unique=True,
                        verbose_name="e-mail address",
                    ),
                ),
                ("full_name", models.CharField(blank=True, max_length=150, verbose_name="name")),
                (
                    "time_zone",
                    models.CharField(
                        default="Europe/London", max_length=50, validators=[accounts.places_and_languages.is_time_zone]
                    ),
                ),
                (
                    "language",
                    models.CharField(default="en-gb", help_text="What mails and pages are written in.", max_length=10),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Teacher",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("suspended", "Suspended"),
                        ],
                        default="applied",
                        max_length=10,
                    ),
                ),
                ("display_name", models.CharField(max_length=100)),
                ("headline", models.CharField(blank=True, max_length=140)),
                ("biography", models.TextField(blank=True, help_text="Markdown.", max_length=10000)),
                ("photo", models.ImageField(blank=True, upload_to="teachers/")),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=10, validators=[accounts.places_and_languages.is_language]
                        ),
                        blank=True,
                        default=list,
                        help_text="ISO 639 codes: en, fr.",
                        size=None,
                    ),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=10, validators=[accounts.places_and_languages.is_region]
                        ),
                        blank=True,
                        default=list,
                        help_text="Where they may teach: GB, FR, US-CA.",
                        size=None,
                    ),
                ),
                ("commission_bps", models.PositiveIntegerField(blank=True, null=True)),
                ("applied_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decision_note",
                    models.TextField(blank=True, help_text="The teacher reads this when declined or suspended."),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="decided_teachers",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="teacher", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("decide_teacher", "Can approve, decline and suspend teachers"),
                    ("set_commission", "Can set a teacher's commission"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="user_email_lower_case",
            ),
        ),
        migrations.AddIndex(
            model_name="teacher",
            index=models.Index(fields=["status", "applied_at"], name="teacher_by_status"),
        ),
        migrations.AddConstraint(
            model_name="teacher",
            constraint=models.CheckConstraint(
                condition=models.Q(("commission_bps__isnull", True), ("commission_bps__lte", 10000), _connector="OR"),
                name="teacher_commission_at_most_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="teacher",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["applied", "approved", "declined", "suspended"])),
                name="teacher_status_known",
            ),
        ),
    ]
