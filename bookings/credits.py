"""Lessons taken with a lesson credit of a subscription: confirmed at once without a payment, cancelled, and earned.

The lesson is locked first, as for a payment, so a lesson is paid or takes a credit, once, whatever happens at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import Teacher
from bookings import DOMAIN, mails, rules
from bookings.holds import SlotTaken, confirm_slot_by_credit, lock_lesson
from bookings.models import CreditTerms, Lesson
from notifications.outbox import mails_gathered
from payments.earnings.entries import Portion
from payments.reasons import BY_STUDENT
from subscriptions.books import portion_of_credit
from subscriptions.credits import (
    NoCredit,
    earn_credit,
    give_back_credit,
    is_worth,
    take_credit,
    taken_credit,
    usable_credits,
)
from subscriptions.models import LessonCredit

log = structlog.get_logger()
_LESSONS_PER_RUN = 500


class CreditNotUsable(Exception):
    """A credit cannot confirm this lesson, or a lesson taken with one cannot be cancelled. The message is shown."""


def use_of(lesson: Lesson) -> str:
    """What a credit is used for, as subscriptions store it."""
    return f"{DOMAIN}:lesson:{lesson.pk}"


def agree_to_credits(*, teacher: Teacher, longest_minutes: int, least_values: Mapping[str, int]) -> CreditTerms:
    """Take lesson credits from now on, each worth at least what the teacher was shown, in minor units by currency."""
    terms, _ = CreditTerms.objects.update_or_create(
        teacher=teacher,
        defaults={
            "longest_minutes": longest_minutes,
            "least_values": dict(least_values),
            "agreed_at": timezone.now(),
        },
    )
    return terms


def stop_credits(*, teacher: Teacher) -> None:
    """Take no more lesson credits. Lessons that were confirmed with one take place as agreed."""
    CreditTerms.objects.filter(teacher=teacher).delete()


class UsableCredits:
    """The credits that a student can use now, and on which lessons. Two queries for any number of lessons."""

    def __init__(self, student_id: int) -> None:
        self._student_id = student_id
        self._credits = usable_credits(student_id)
        self._terms: dict[int, CreditTerms] | None = None

    def for_lesson(self, lesson: Lesson) -> LessonCredit | None:
        """The credit that would confirm this lesson; None if none can."""
        if not self._credits or lesson.student_id != self._student_id or not lesson.can_be_bought:
            return None
        terms = self._terms_of_teachers().get(lesson.teacher_id)
        if terms is None or not _is_short_enough(lesson, terms):
            return None
        return next((credit for credit in self._credits if is_worth(credit, terms.least_values)), None)

    def _terms_of_teachers(self) -> dict[int, CreditTerms]:
        if self._terms is None:
            proposing = Lesson.objects.filter(
                student=self._student_id, state__in=[Lesson.State.PROPOSED, Lesson.State.HELD]
            )
            self._terms = CreditTerms.objects.in_bulk(set(proposing.values_list("teacher", flat=True)))
        return self._terms


def credit_for(lesson: Lesson) -> LessonCredit | None:
    """The credit with which its student could confirm a proposed lesson now; None if there is none."""
    return UsableCredits(lesson.student_id).for_lesson(lesson)


def portion_of_lesson(lesson: Lesson) -> Portion | None:
    """What teacher and platform get for a lesson taken with a credit; None for any other."""
    credit = taken_credit(use_of(lesson)) if lesson.is_by_credit else None
    return portion_of_credit(credit) if credit else None


@transaction.atomic
def confirm_with_credit(*, lesson_id: int, student_id: int) -> Lesson:
    """Confirm a proposed lesson with a lesson credit. A repeat returns the lesson that was confirmed before.

    Raises CreditNotUsable, and Lesson.DoesNotExist for another student's lesson.
    """
    with mails_gathered():
        lesson = lock_lesson(lesson_id)
        if lesson is None or lesson.student_id != student_id:
            raise Lesson.DoesNotExist
        if lesson.is_by_credit and lesson.is_confirmed:
            return lesson
        terms = _terms_for(lesson)
        try:
            credit = take_credit(
                user_id=student_id,
                used_for=use_of(lesson),
                title=lesson.title,
                teacher_id=lesson.teacher_id,
                least_values=terms.least_values,
            )
            confirm_slot_by_credit(lesson)
        except NoCredit as none_left:
            raise CreditNotUsable(str(none_left)) from none_left
        except SlotTaken as taken:
            raise CreditNotUsable(
                "This time has just been taken by another student. Ask the teacher for another one."
            ) from taken
        mails.queue_lesson_confirmed(lesson, credit=portion_of_credit(credit))
    log.info("lesson_confirmed_with_credit", lesson=lesson.pk)
    return lesson


def gives_credit_back(lesson: Lesson, *, at: datetime) -> bool:
    """Whether the student gets the credit back for cancelling now: as long as the policy promises a full refund."""
    return at <= credit_back_until(lesson)


def credit_back_until(lesson: Lesson) -> datetime:
    """Until when a cancellation gives the credit back."""
    policy = {**rules.CANCELLATION_POLICY, **lesson.policy}
    return lesson.starts_at - timedelta(hours=policy["full_refund_hours"])


@transaction.atomic
def cancel_for_student(*, lesson_id: int, student_id: int, is_credit_expected: bool) -> Lesson:
    """Cancel a lesson taken with a credit. Late, the credit stays used and the teacher earns it after the lesson's time.

    `is_credit_expected` is what the student was shown. Raises CreditNotUsable, and Lesson.DoesNotExist for another's.
    """
    with mails_gathered():
        lesson = _lock_confirmed(lesson_id)
        if lesson is None or lesson.student_id != student_id:
            raise Lesson.DoesNotExist
        now = timezone.now()
        _refuse_cancellation(lesson, now)
        is_back = gives_credit_back(lesson, at=now)
        if is_credit_expected and not is_back:
            raise CreditNotUsable("It is now too late to get the credit back. Look at what happens before you confirm.")
        _cancel(lesson, reason=BY_STUDENT, gives_back=is_back)
    return lesson


@transaction.atomic
def cancel_for_teacher(*, lesson_id: int, reason: str) -> Lesson | None:
    """Cancel a lesson taken with a credit, which the student gets back whatever the time; None if it was cancelled before."""
    with mails_gathered():
        lesson = _lock_confirmed(lesson_id)
        if lesson is None or not lesson.is_confirmed or lesson.credit_ended_at is not None:
            return None
        _cancel(lesson, reason=reason, gives_back=True)
    return lesson


def earn_credits_of_lessons() -> int:
    """Let teachers earn the credits of lessons that students can no longer contest; returns how many were earned."""
    due = Lesson.objects.filter(
        is_by_credit=True, credit_ended_at=None, period__endswith__lte=timezone.now() - rules.CONTEST_WITHIN
    ).order_by("period")
    return sum(_earn(lesson_id) for lesson_id in due.values_list("pk", flat=True)[:_LESSONS_PER_RUN])


def _earn(lesson_id: int) -> bool:
    with transaction.atomic():
        lesson = Lesson.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=lesson_id).first()
        if lesson is None or lesson.credit_ended_at is not None or not earn_credit(use_of(lesson)):
            return False
        lesson.credit_ended_at = timezone.now()
        lesson.save(update_fields=["credit_ended_at"])
    return True


def _terms_for(lesson: Lesson) -> CreditTerms:
    """The terms on which a credit confirms a locked lesson. Raises CreditNotUsable."""
    if lesson.is_on_hold:
        raise CreditNotUsable(
            "You are already paying for this lesson. Finish or cancel that order first, then use a credit."
        )
    if lesson.state not in (Lesson.State.PROPOSED, Lesson.State.HELD):
        is_gone = lesson.state == Lesson.State.CANCELLED
        raise CreditNotUsable(
            "This lesson is no longer offered." if is_gone else "You have already paid for this lesson."
        )
    if not lesson.can_be_bought or not lesson.teacher.is_approved:
        raise CreditNotUsable("The time of this lesson has passed, or it is no longer offered.")
    terms = CreditTerms.objects.filter(teacher=lesson.teacher_id).first()
    if terms is None:
        raise CreditNotUsable(
            f"{lesson.teacher.display_name} does not take lesson credits. You can pay for the lesson."
        )
    if not _is_short_enough(lesson, terms):
        raise CreditNotUsable(f"One credit is for a lesson of up to {terms.longest_minutes} minutes.")
    return terms


def _is_short_enough(lesson: Lesson, terms: CreditTerms) -> bool:
    return lesson.ends_at - lesson.starts_at <= timedelta(minutes=terms.longest_minutes)


def _lock_confirmed(lesson_id: int) -> Lesson | None:
    lesson = lock_lesson(lesson_id)
    return lesson if lesson is not None and lesson.is_by_credit else None


def _refuse_cancellation(lesson: Lesson, now: datetime) -> None:
    if not lesson.is_confirmed:
        raise CreditNotUsable("This lesson is cancelled already.")
    if lesson.starts_at <= now:
        raise CreditNotUsable("It is too late to cancel this.")


def _cancel(lesson: Lesson, *, reason: str, gives_back: bool) -> None:
    now = timezone.now()
    lesson.state, lesson.cancelled_at, lesson.cancel_reason = Lesson.State.CANCELLED, now, reason[:300]
    if gives_back and give_back_credit(use_of(lesson)):
        lesson.credit_ended_at = now
    lesson.save(update_fields=["state", "cancelled_at", "cancel_reason", "credit_ended_at"])
    mails.queue_lesson_cancelled(lesson)
