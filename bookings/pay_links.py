"""Send a student the link to pay a proposed lesson again, for example when they cannot find the mail."""

from __future__ import annotations

from django.db import transaction

from bookings import mails
from bookings.handler import why_not_for_sale
from bookings.holds import lock_lesson
from bookings.models import Lesson


class PayLinkRefused(Exception):
    """The lesson cannot be paid, so a link would lead nowhere. The message is for staff."""


@transaction.atomic
def send_pay_link(*, lesson_id: int) -> Lesson:
    """Queue the mail with the link. Raises PayLinkRefused, and Lesson.DoesNotExist."""
    lesson = lock_lesson(lesson_id)
    if lesson is None:
        raise Lesson.DoesNotExist
    # It speaks to the student, as the page behind the link would.
    if refusal := why_not_for_sale(lesson):
        raise PayLinkRefused(f"Not sent, because the page would say: “{refusal}”")
    mails.queue_pay_link(lesson)
    return lesson
