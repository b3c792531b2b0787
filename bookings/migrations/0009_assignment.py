import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("bookings", "0008_count_changes_of_calendar_entries"),
        ("catalogue", "0009_learn_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("requested", "The student asked"),
                            ("declined", "The teacher before declined"),
                            ("lapsed", "The teacher before did not answer in time"),
                            ("left", "The teacher before stopped teaching here"),
                            ("retried", "A suitable teacher became available"),
                            ("moved", "Moved by staff"),
                        ],
                        max_length=9,
                    ),
                ),
                ("findings", models.JSONField(blank=True, default=list)),
                ("runners_up", models.JSONField(blank=True, default=list)),
                (
                    "load",
                    models.PositiveIntegerField(
                        default=0, help_text="Pending requests and upcoming lessons before this one."
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, help_text="What the teacher or staff wrote about it.", max_length=2000
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("lapsed", "Not answered in time"),
                            ("left", "Stopped teaching here"),
                            ("moved", "Moved to another teacher"),
                            ("withdrawn", "Withdrawn by the student"),
                            ("found", "A teacher was found"),
                        ],
                        max_length=9,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["made_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Availability",
            fields=[
                (
                    "teacher",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="availability",
                        serialize=False,
                        to="accounts.teacher",
                    ),
                ),
                (
                    "is_paused",
                    models.BooleanField(
                        default=False, help_text="No new requests are given to the teacher.", verbose_name="pause"
                    ),
                ),
                (
                    "paused_until",
                    models.DateField(
                        blank=True,
                        help_text="The first day with new requests again. If empty, the pause lasts until it is ended here.",
                        null=True,
                        verbose_name="until",
                    ),
                ),
                (
                    "days",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("mon", "Monday"),
                                ("tue", "Tuesday"),
                                ("wed", "Wednesday"),
                                ("thu", "Thursday"),
                                ("fri", "Friday"),
                                ("sat", "Saturday"),
                                ("sun", "Sunday"),
                            ],
                            max_length=3,
                        ),
                        blank=True,
                        default=list,
                        help_text="The days on which they teach: mon, tue. Empty means every day.",
                        size=None,
                        verbose_name="days",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "availability",
            },
        ),
        migrations.AddField(
            model_name="lessonrequest",
            name="asked_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now
            ),
        ),
        migrations.AddConstraint(
            model_name="lessonrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_to_any_teacher", True), ("state", "open")),
                fields=("student", "subject"),
                name="lesson_request_to_any_open_once",
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="bookings.lessonrequest"
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="subject",
            field=models.ForeignKey(
                blank=True,
                help_text="The subject by which the teacher was found: the requested one, or the broader one.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalogue.subject",
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="teacher",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assignments",
                to="accounts.teacher",
            ),
        ),
        migrations.AddConstraint(
            model_name="availability",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_paused", True), ("paused_until__isnull", True), _connector="OR"),
                name="availability_end_of_a_pause",
                violation_error_message="Only a pause has an end: tick the pause too.",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("request",), name="assignment_one_is_current"
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "moved"), _negated=True),
                fields=("request", "teacher"),
                name="assignment_once_per_teacher",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("outcome", "")),
                    models.Q(models.Q(("outcome", ""), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="assignment_ends_with_an_outcome",
            ),
        ),
    ]
