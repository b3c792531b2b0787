"""Make requests for lessons, withdraw them, and pass on or close those that were not answered in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.addresses import has_verified_address
from accounts.models import Teacher, User
from bookings import mails, rules
from bookings.announcements import announce_request
from bookings.assignment import assign_request, end_assignment
from bookings.models import Assignment, LessonOffer, LessonRequest
from catalogue.models import Subject


class RequestRefused(Exception):
    """The request cannot be made. The message is shown to the student."""


class RequestClosed(Exception):
    """The request was already answered or withdrawn, or has lapsed. The message is shown to the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a student says about the lessons they want."""

    subject: Subject
    level: str
    goals: str
    region: str
    meeting: str = LessonRequest.Meeting.ONLINE
    preferred_days: Sequence[str] = field(default_factory=list)
    preferred_parts: Sequence[str] = field(default_factory=list)
    preferred_times: str = ""


@transaction.atomic
def request_lessons(
    *, student: User, wish: Wish, teacher: Teacher | None, offer: LessonOffer | None = None
) -> LessonRequest:
    """Ask one teacher, or the suitable one with the least work if `teacher` is None, and mail them.

    Raises RequestRefused. If no teacher is suitable, the request is made all the same and staff look for one.
    """
    if teacher and teacher.user_id == student.pk:
        raise RequestRefused("You cannot request lessons from yourself.")
    # Locked, so that of two requests sent at once the second one counts the first.
    User.objects.select_for_update(no_key=True).get(pk=student.pk)
    _enforce_limits(student, is_to_any=teacher is None)
    request = LessonRequest(
        student=student,
        teacher=teacher,
        is_to_any_teacher=teacher is None,
        offer=offer,
        subject=wish.subject,
        level=wish.level,
        goals=wish.goals,
        preferred_days=list(wish.preferred_days),
        preferred_parts=list(wish.preferred_parts),
        preferred_times=wish.preferred_times,
        region=wish.region,
        meeting=wish.meeting,
    )
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:
        if "open_once" not in str(error):
            raise
        whom = teacher.display_name if teacher else "our teachers"
        raise RequestRefused(
            f"You have already requested lessons in {wish.subject} from {whom}; wait for the answer."
        ) from error
    announce_request(request)
    if teacher:
        mails.queue_request_received(request, teacher)
    else:
        assign_request(request, cause=Assignment.Cause.REQUESTED)
    return request


def _enforce_limits(student: User, *, is_to_any: bool) -> None:
    """Raise RequestRefused for too many requests or an unverified address: each request mails text to teachers."""
    if not has_verified_address(student):
        raise RequestRefused(
            "Please verify your email address first: follow the link in the email we sent you, or ask for another one "
            "in your profile."
        )
    made = LessonRequest.objects.filter(student=student)
    waiting = made.filter(state=LessonRequest.State.OPEN).count()
    if waiting >= rules.OPEN_REQUESTS_AT_MOST:
        raise RequestRefused(f"You have {waiting} requests waiting for an answer. Withdraw one to make another.")
    today = made.filter(created_at__gt=timezone.now() - timedelta(days=1))
    if today.count() >= rules.REQUESTS_PER_DAY:
        raise RequestRefused(f"You can make {rules.REQUESTS_PER_DAY} requests a day. Please continue tomorrow.")
    if is_to_any and today.filter(is_to_any_teacher=True).count() >= rules.REQUESTS_TO_ANY_PER_DAY:
        raise RequestRefused(
            f"You can ask us for a suitable teacher {rules.REQUESTS_TO_ANY_PER_DAY} times a day. Please choose a "
            "teacher, or continue tomorrow."
        )


@transaction.atomic
def withdraw_request(*, request_id: int, student: User) -> LessonRequest:
    """Withdraw the student's own open request.

    Raises RequestClosed, and LessonRequest.DoesNotExist for another student's request.
    """
    request = LessonRequest.objects.select_for_update().get(pk=request_id, student=student)
    if not request.is_open:
        raise RequestClosed("This request has already been answered.")
    request.state = LessonRequest.State.WITHDRAWN
    request.answered_at = timezone.now()
    request.save(update_fields=["state", "answered_at"])
    end_assignment(request, Assignment.Outcome.WITHDRAWN)
    return request
