"""Take a person's data out of the audit trail. What was done, when and by which account stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Teacher, User
from bookings.models import Lesson, LessonRequest
from payments.models import Gift
from webhooks.models import Endpoint
from workshops.models import Registration

# Columns with what people wrote or what identifies them, by table.
PERSONAL: Mapping[str, Sequence[str]] = {
    "accounts_user": ("email", "full_name"),
    "account_emailaddress": ("email",),
    "accounts_teacher": ("slug", "display_name", "headline", "biography", "photo", "tax_number", "decision_note"),
    "bookings_lessonrequest": ("goals", "preferred_times", "region", "meeting", "teacher_note"),
    "bookings_lesson": ("meeting_url", "place", "cancel_reason"),
    "workshops_registration": ("participant_name", "participant_email"),
    "payments_gift": ("receiver_name", "receiver_email", "message"),
    "webhooks_endpoint": ("url", "description"),
}

_ERASE = """
UPDATE operations_change SET before = operations_without(before, %(columns)s), after = operations_without(after, %(columns)s)
 WHERE table_name = %(table)s AND model = %(model)s AND object_id = ANY (%(keys)s)
   AND (before ?| %(columns)s OR after ?| %(columns)s)
"""


def forget(user: User) -> int:
    """Erase the personal values of all kept changes of a person and of what is theirs; returns how many changes.

    Call it after the person's rows were blanked, since the trail keeps what they were before, and while their objects
    still lead to the person. Changes nothing when repeated.
    """
    teachers = Teacher.objects.filter(user=user)
    users = User.objects.filter(pk=user.pk)
    return sum(
        (
            _erase("accounts_user", users),
            _erase("account_emailaddress", users),
            _erase("accounts_teacher", teachers),
            _erase("bookings_lessonrequest", LessonRequest.objects.filter(student=user)),
            _erase("bookings_lesson", Lesson.objects.filter(student=user)),
            _erase("workshops_registration", Registration.objects.filter(buyer=user)),
            _erase("payments_gift", Gift.objects.filter(line__order__user=user)),
            _erase("payments_gift", Gift.objects.filter(receiver=user)),
            _erase("webhooks_endpoint", Endpoint.objects.filter(user=user)),
        )
    )


def _erase(table: str, objects: QuerySet[Any]) -> int:
    keys = [str(key) for key in objects.values_list("pk", flat=True)]
    parameters = {
        "table": table,
        "model": objects.model._meta.label_lower,
        "keys": keys,
        "columns": list(PERSONAL[table]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ERASE, parameters)
        return int(cursor.rowcount)
