"""State only: what staff read when a row breaks a rule of the database, where they read the name of the rule before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0006_count_lessons_that_are_done"),
    ]

    operations = [
        migrations.AlterConstraint(
            model_name="courselesson",
            name="lesson_video_over_https",
            constraint=models.CheckConstraint(
                condition=models.Q(("video_url", ""), ("video_url__startswith", "https://"), _connector="OR"),
                name="lesson_video_over_https",
                violation_error_message="The link to a video starts with https://.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="courselesson",
            name="lesson_video_has_link",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "video"), ("video_url", ""), _negated=True),
                name="lesson_video_has_link",
                violation_error_message="A lesson with a video needs its link.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="courselesson",
            name="lesson_file_has_file",
            constraint=models.CheckConstraint(
                condition=models.Q(("file", ""), ("kind", "file"), _negated=True),
                name="lesson_file_has_file",
                violation_error_message="A lesson with a file needs the file.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="courselesson",
            name="lesson_file_never_preview",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_free_preview", True), ("kind", "file"), _negated=True),
                name="lesson_file_never_preview",
                violation_error_message="A lesson with a file cannot be a free preview.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="quizquestion",
            name="question_has_right_choice",
            constraint=models.CheckConstraint(
                condition=models.Q(("choices__len__gte", 2), ("right_choice__lt", models.F("choices__len"))),
                name="question_has_right_choice",
                violation_error_message="A question needs two choices or more, one of which is right.",
            ),
        ),
    ]
