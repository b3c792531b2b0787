"""Take and free slots. The exclusion constraint decides; this module takes the locks in an order that cannot deadlock.

Everything that takes a slot first locks the teacher's calendar, then the lesson. Confirming a slot that is already
held takes no slot. Without the lock on the calendar two buyers of overlapping slots would wait for each other inside
the constraint until PostgreSQL cancels one of them a second later.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from psycopg.errors import ExclusionViolation

from accounts.models import Teacher
from bookings.models import Lesson


class SlotTaken(Exception):
    """Another lesson of the teacher is held or confirmed in this slot."""


def lock_lesson(lesson_id: int) -> Lesson | None:
    """Lock the calendar of the lesson's teacher, then the lesson; None if there is no such lesson.

    Both are locked until the transaction ends. The calendar's is not a key lock, so other transactions can still write
    rows that refer to the teacher.
    """
    teacher_id = Lesson.objects.filter(pk=lesson_id).values_list("teacher_id", flat=True).first()
    if teacher_id is None:
        return None
    lock_calendar(teacher_id)
    return (
        Lesson.objects.select_for_update(of=("self",))
        .select_related("request__subject", "teacher__user", "student")
        .get(pk=lesson_id)
    )


def lock_calendar(teacher_id: int) -> None:
    """Lock a teacher's calendar until the transaction ends, so that only one transaction at a time changes it."""
    list(Teacher.objects.select_for_update(no_key=True).filter(pk=teacher_id).values_list("pk"))


def hold_slot(lesson: Lesson, *, order_line_id: int, until: datetime) -> None:
    """Hold the slot of a locked lesson for an order line. Raises SlotTaken."""
    _take_slot(lesson, state=Lesson.State.HELD, order_line_id=order_line_id, held_until=until, confirmed_at=None)


def confirm_live_hold(lesson: Lesson, *, order_line_id: int, policy: dict[str, Any]) -> bool:
    """Confirm a lesson if its hold for this line has not lapsed; otherwise return False: call `confirm_slot` then.

    One conditional statement and no lock on the calendar: the line already holds the slot, and students of one teacher
    who pay at the same moment must not wait for each other.
    """
    now = timezone.now()
    held = Lesson.objects.filter(pk=lesson.pk, state=Lesson.State.HELD, order_line_id=order_line_id, held_until__gt=now)
    with transaction.atomic():
        is_confirmed = held.update(state=Lesson.State.CONFIRMED, held_until=None, confirmed_at=now, policy=policy)
        # An update that waited and then matched nothing still keeps the row locked until it is rolled back, and the
        # calendar must be locked before the lesson.
        transaction.set_rollback(not is_confirmed)
    if is_confirmed:
        lesson.state, lesson.held_until, lesson.confirmed_at = Lesson.State.CONFIRMED, None, now
        lesson.order_line_id, lesson.policy = order_line_id, policy
    return bool(is_confirmed)


def confirm_slot(lesson: Lesson, *, order_line_id: int) -> None:
    """Give the slot of a locked lesson to the order line that paid, even if its hold has lapsed. Raises SlotTaken."""
    _take_slot(
        lesson,
        state=Lesson.State.CONFIRMED,
        order_line_id=order_line_id,
        held_until=None,
        confirmed_at=timezone.now(),
    )


def confirm_slot_by_credit(lesson: Lesson) -> None:
    """Take the slot of a locked lesson for its student's lesson credit. Raises SlotTaken if it is being paid for."""
    lesson.is_by_credit = True
    _take_slot(lesson, state=Lesson.State.CONFIRMED, order_line_id=None, held_until=None, confirmed_at=timezone.now())


def free_slot(lesson: Lesson) -> None:
    """Return a locked, held lesson to proposed."""
    lesson.state = Lesson.State.PROPOSED
    lesson.held_until = None
    lesson.order_line_id = None
    lesson.save(update_fields=["state", "held_until", "order_line_id"])


def _take_slot(
    lesson: Lesson,
    *,
    state: Lesson.State,
    order_line_id: int | None,
    held_until: datetime | None,
    confirmed_at: datetime | None,
) -> None:
    _free_lapsed_holds(lesson)
    lesson.state = state
    lesson.order_line_id = order_line_id
    lesson.held_until = held_until
    lesson.confirmed_at = confirmed_at
    try:
        # A savepoint, so that the caller's transaction survives a slot that is already taken.
        with transaction.atomic():
            lesson.save(update_fields=["state", "order_line_id", "is_by_credit", "held_until", "confirmed_at"])
    except IntegrityError as error:
        if isinstance(error.__cause__, ExclusionViolation):
            raise SlotTaken from error
        raise


def _free_lapsed_holds(lesson: Lesson) -> None:
    """Free the lapsed holds that overlap this lesson. Every buyer does so, so no clean-up job has to run on time."""
    lapsed = Lesson.objects.lapsed(timezone.now()).filter(teacher_id=lesson.teacher_id, period__overlap=lesson.period)
    lapsed.exclude(pk=lesson.pk).update(state=Lesson.State.PROPOSED, held_until=None, order_line_id=None)
