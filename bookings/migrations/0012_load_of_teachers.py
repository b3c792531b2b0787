"""A view and a function that count each teacher's work, and the end of the list of teachers who passed on a request."""

import django.db.models.deletion
from django.db import migrations, models

# A request that is accepted counts once, however many times were proposed, until a lesson of it is bought.
# A function, so that the work of a few teachers is counted without reading everyone's: PostgreSQL inlines it.
COUNT = """
CREATE FUNCTION bookings_load_of(ids bigint[])
RETURNS TABLE (
    teacher_id bigint, open_requests integer, open_proposals integer, upcoming_lessons integer, total integer
) LANGUAGE sql STABLE AS $$
SELECT teacher.id,
       coalesce(asked.number, 0)::integer,
       coalesce(proposed.number, 0)::integer,
       coalesce(booked.number, 0)::integer,
       (coalesce(asked.number, 0) + coalesce(proposed.number, 0) + coalesce(booked.number, 0))::integer
  FROM accounts_teacher AS teacher
  LEFT JOIN (
        SELECT request.teacher_id, count(*) AS number FROM bookings_lessonrequest AS request
         WHERE (ids IS NULL OR request.teacher_id = ANY (ids)) AND state = 'open'
         GROUP BY request.teacher_id
       ) AS asked ON asked.teacher_id = teacher.id
  LEFT JOIN (
        SELECT lesson.teacher_id, count(DISTINCT lesson.request_id) AS number FROM bookings_lesson AS lesson
         WHERE (ids IS NULL OR lesson.teacher_id = ANY (ids))
           AND upper(period) > now() AND lower(period) > now()
           AND (state = 'proposed' OR state = 'held' AND held_until <= now())
           AND NOT EXISTS (
                SELECT FROM bookings_lesson AS bought WHERE bought.request_id = lesson.request_id
                   AND (bought.state IN ('confirmed', 'completed', 'no_show')
                        OR bought.state = 'held' AND bought.held_until > now())
               )
         GROUP BY lesson.teacher_id
       ) AS proposed ON proposed.teacher_id = teacher.id
  LEFT JOIN (
        SELECT lesson.teacher_id, count(*) AS number FROM bookings_lesson AS lesson
         WHERE (ids IS NULL OR lesson.teacher_id = ANY (ids))
           AND upper(period) > now() AND (state = 'confirmed' OR state = 'held' AND held_until > now())
         GROUP BY lesson.teacher_id
       ) AS booked ON booked.teacher_id = teacher.id
 WHERE ids IS NULL OR teacher.id = ANY (ids)
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("bookings", "0011_index_what_load_counts"),
    ]

    operations = [
        migrations.RunSQL(COUNT, "DROP FUNCTION bookings_load_of"),
        migrations.RunSQL(
            "CREATE VIEW bookings_teacherload AS SELECT * FROM bookings_load_of(NULL)",
            "DROP VIEW bookings_teacherload",
        ),
        migrations.CreateModel(
            name="TeacherLoad",
            fields=[
                (
                    "teacher",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="load",
                        serialize=False,
                        to="accounts.teacher",
                    ),
                ),
                ("open_requests", models.IntegerField(verbose_name="requests to answer")),
                (
                    "open_proposals",
                    models.IntegerField(
                        help_text="Accepted requests whose times the student can still choose. Each counts once.",
                        verbose_name="proposals",
                    ),
                ),
                ("upcoming_lessons", models.IntegerField(help_text="Paid or being paid, and not over.")),
                ("total", models.IntegerField(verbose_name="load")),
            ],
            options={
                "verbose_name": "load of a teacher",
                "verbose_name_plural": "load of teachers",
                "db_table": "bookings_teacherload",
                "ordering": ["-total", "teacher"],
                "managed": False,
            },
        ),
        migrations.RemoveField(
            model_name="lessonrequest",
            name="passed_on_by",
        ),
    ]
