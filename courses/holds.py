"""The only module that changes the state of enrolments: released → held → active → revoked, and from there held again.

Every function runs in the caller's transaction and locks the row of (course, student) before reading it. Places in a
course are not limited, so a hold only prevents a second order by the same student.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from courses.models import Course, Enrolment
from payments.contracts import CannotDeliver, SoldOut


@transaction.atomic
def hold_enrolment(*, course_id: int, student_id: int, order_line_id: int, until: datetime) -> None:
    """Prevent a second order of the student for the course while this one is being paid. Raises SoldOut.

    The same line may extend its hold, even after the course was withdrawn. A lapsed hold may be replaced by another line.
    """
    enrolment = _lock_enrolment(course_id=course_id, student_id=student_id)
    if enrolment.state == Enrolment.State.ACTIVE:
        raise SoldOut("You already have this course.")
    if enrolment.order_line_id != order_line_id:
        if enrolment.held_until is not None and enrolment.held_until > timezone.now():
            raise SoldOut("You are already paying for this course in another order. Finish or cancel that one first.")
        if not Course.objects.on_sale().filter(pk=course_id).exists():
            raise SoldOut("This course is no longer for sale.")
    _change(enrolment, state=Enrolment.State.HELD, order_line_id=order_line_id, held_until=until)


@transaction.atomic
def activate_enrolment(
    *, course_id: int, student_id: int, order_line_id: int, is_promised: bool = False
) -> Enrolment | None:
    """Give the student the course; None if this line already did so, or was refunded. Raises CannotDeliver.

    The order that is paid first gets the course, even if another order holds it. A line whose hold was released is still
    delivered, unless the course was withdrawn in the meantime. A gift that was paid before `is_promised` all the same.
    """
    enrolment = _lock_enrolment(course_id=course_id, student_id=student_id)
    is_ours = enrolment.order_line_id == order_line_id
    if order_line_id in enrolment.ended_line_ids or (is_ours and enrolment.state == Enrolment.State.ACTIVE):
        return None
    if enrolment.state == Enrolment.State.ACTIVE:
        raise CannotDeliver("You already have this course from another order, so this payment is refunded.")
    if not is_ours and not is_promised and not _is_published(course_id):
        raise CannotDeliver("The course was withdrawn before your payment arrived, so the payment is refunded.")
    _change(
        enrolment,
        state=Enrolment.State.ACTIVE,
        order_line_id=order_line_id,
        activated_at=timezone.now(),
        held_until=None,
    )
    return enrolment


@transaction.atomic
def release_enrolment(*, course_id: int, student_id: int, order_line_id: int) -> None:
    """Release the hold of a line that will not be paid. No effect if the line has no hold or was delivered."""
    enrolment = _lock_enrolment(course_id=course_id, student_id=student_id)
    if enrolment.state == Enrolment.State.HELD and enrolment.order_line_id == order_line_id:
        _change(enrolment, **_without_hold(enrolment))


@transaction.atomic
def open_by_plan(*, course_id: int, student_id: int) -> Enrolment:
    """Begin a course with a plan: the row keeps the student's progress. A repeat changes nothing.

    The state stays what orders made it, and a plan that ends needs no change: whether it opens the course is asked each
    time.
    """
    enrolment = _lock_enrolment(course_id=course_id, student_id=student_id)
    if enrolment.opened_by_plan_at is None:
        now = timezone.now()
        _change(enrolment, opened_by_plan_at=now, activated_at=enrolment.activated_at or now)
    return enrolment


def release_all_holds(*, course_id: int) -> None:
    """Release every hold of a course that is being closed. Its row must be locked."""
    held = Enrolment.objects.filter(course=course_id, state=Enrolment.State.HELD)
    held.filter(revoked_at=None).update(state=Enrolment.State.RELEASED, order_line_id=None, held_until=None)
    held.update(state=Enrolment.State.REVOKED, order_line_id=None, held_until=None)


@transaction.atomic
def revoke_enrolment(*, course_id: int, student_id: int, order_line_id: int) -> Enrolment | None:
    """Revoke the enrolment if this line delivered it; returns it if this call did so.

    In any case the line is recorded as ended, so that a late repetition of its delivery does not open the course again.
    """
    enrolment = _lock_enrolment(course_id=course_id, student_id=student_id)
    if order_line_id in enrolment.ended_line_ids:
        return None
    was_active = enrolment.state == Enrolment.State.ACTIVE and enrolment.order_line_id == order_line_id
    changes: dict[str, Any] = {"ended_line_ids": [*enrolment.ended_line_ids, order_line_id]}
    if enrolment.order_line_id == order_line_id:
        if enrolment.state == Enrolment.State.ACTIVE:
            changes |= {"state": Enrolment.State.REVOKED, "revoked_at": timezone.now()}
        elif enrolment.state == Enrolment.State.HELD:
            changes |= _without_hold(enrolment)
    _change(enrolment, **changes)
    return enrolment if was_active else None


def _is_published(course_id: int) -> bool:
    """Whether it is published. Locks it, so that it is not closed between this answer and the commit."""
    return bool(Course.objects.select_for_update(no_key=True).filter(pk=course_id, state=Course.State.PUBLISHED))


def _lock_enrolment(*, course_id: int, student_id: int) -> Enrolment:
    rows = (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("student")
        .filter(course_id=course_id, student_id=student_id)
    )
    if enrolment := rows.first():
        return enrolment
    # Inserts the row or finds it in one step: of two transactions the second waits here for the first.
    Enrolment.objects.bulk_create([Enrolment(course_id=course_id, student_id=student_id)], ignore_conflicts=True)
    return rows.get()


def _without_hold(enrolment: Enrolment) -> dict[str, Any]:
    """The values without the hold: released, or revoked if the student had the course before."""
    state = Enrolment.State.RELEASED if enrolment.revoked_at is None else Enrolment.State.REVOKED
    return {"state": state, "order_line_id": None, "held_until": None}


def _change(enrolment: Enrolment, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(enrolment, name, value)
    enrolment.save(update_fields=list(fields))
