"""Mails about courses, queued in the transaction of the change."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import User
from courses.models import Course, Enrolment
from notifications.outbox import queue_mail
from payments.contracts import SoldLine


def queue_enrolment_mails(*, course: Course, student: User, line: SoldLine) -> None:
    """Welcome the student, and inform the teacher. Once per order line, however often it is delivered."""
    queue_mail(
        key=f"course:{line.id}:enrolled:student",
        to=student,
        template="courses/mail/enrolled",
        context={
            "course": course.title,
            "teacher": course.teacher.display_name,
            "path": reverse("courses:learn", args=[course.slug]),
            "order_number": line.order_number,
        },
        part_of=line.purchase_mail,
    )
    queue_mail(
        key=f"course:{line.id}:enrolled:teacher",
        to=course.teacher.user,
        template="courses/mail/enrolled_teacher",
        context={
            "course": course.title,
            "student": student.display_name,
            **line.sale,
            "path": reverse("courses:desk"),
        },
    )


def queue_gift_revoked(enrolment: Enrolment, *, order_line_id: int) -> None:
    """Inform a person who redeemed the course as a gift that it was refunded to the buyer. Of the money they hear nothing."""
    queue_mail(
        key=f"course:{order_line_id}:gift-revoked",
        to=enrolment.student,
        template="courses/mail/gift_revoked",
        context={"course": enrolment.course.title, "path": enrolment.course.get_absolute_url()},
    )


def queue_enrolment_revoked(enrolment: Enrolment, *, order_line_id: int, reason: str) -> None:
    """Inform the teacher that a student no longer has the course. The student gets the mails of payments."""
    course = enrolment.course
    queue_mail(
        key=f"course:{order_line_id}:revoked:teacher",
        to=course.teacher.user,
        template="courses/mail/enrolment_revoked",
        context={
            "course": course.title,
            "student": enrolment.student.display_name,
            "reason": reason,
            "path": reverse("courses:desk"),
        },
    )
