"""The handler through which payments sells private lessons. A line's reference is the lesson's id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from accounts.moments import write_span
from accounts.time_zones import zone_for, zone_of_user
from bookings import DOMAIN, mails, rules
from bookings.announcements import announce_cancelled_lesson, announce_confirmed_lesson
from bookings.appointments import appointment_of, lessons_of
from bookings.holds import SlotTaken, confirm_live_hold, confirm_slot, free_slot, hold_slot, lock_lesson
from bookings.models import Lesson
from money.limits import half_of
from payments.contracts import (
    Appointment,
    CancellationTerms,
    CannotDeliver,
    DomainHandler,
    Item,
    NotForSale,
    Place,
    Quote,
    RefundStep,
    SoldLine,
    SoldOut,
)
from payments.references import read_id
from payments.thumbnails import thumbnail_of

_TAKEN = "This time has just been taken by another student. Ask the teacher for another one."


class LessonHandler(DomainHandler):
    """Implements `payments.contracts.DomainHandler` for private lessons."""

    domain = DOMAIN
    label = "Private lesson"
    revoke_one, revoke_many = "Cancel the lesson", "Cancel the lessons"
    revoked_one, revoked_many = "lesson cancelled", "{count} lessons cancelled"
    delivery_action = "Open lesson"
    earned_by = f"a lesson {rules.CONTEST_WITHIN.days} days after it took place"

    def quote(self, items: Sequence[Item], buyer_id: int | None) -> Sequence[Quote | NotForSale]:
        """Quote each lesson to the student it was proposed to; any other buyer is answered NotForSale."""
        lessons = _lessons_with_neighbours(item.reference for item in items)
        return [_quote_one(lessons.get(item.reference), buyer_id) for item in items]

    def reserve(self, line: SoldLine, until: datetime) -> None:
        """Hold the slot until the checkout session ends. Raises SoldOut."""
        try:
            with transaction.atomic():
                _hold(line, until)
        except SlotTaken as taken:
            raise SoldOut(_TAKEN) from taken
        except OperationalError as error:
            # Two carts locked the same two teachers' calendars in opposite order: PostgreSQL cancels one of them.
            if isinstance(error.__cause__, DeadlockDetected):
                raise SoldOut("Another student is booking the same teachers right now. Please try again.") from error
            raise

    def fulfil(self, line: SoldLine) -> None:
        """Confirm the lesson and queue mails to student and teacher. Raises CannotDeliver."""
        lesson = Lesson.objects.for_pages().filter(pk=read_id(line.reference) or 0).first()
        if lesson is None:
            raise CannotDeliver("This lesson no longer exists.")
        if _is_settled(lesson, line):
            return
        _refuse_what_cannot_be_delivered(lesson, line)
        if not confirm_live_hold(lesson, order_line_id=line.id, policy=dict(line.policy)):
            lesson = lock_lesson(lesson.pk) or lesson
            if _is_settled(lesson, line):
                return
            _confirm_without_hold(lesson, line)
        mails.queue_lesson_confirmed(lesson, line=line)
        announce_confirmed_lesson(lesson)

    def release(self, line: SoldLine) -> None:
        """Release the hold if it belongs to this line."""
        lesson = _locked(line)
        if lesson and lesson.order_line_id == line.id and lesson.state == Lesson.State.HELD:
            free_slot(lesson)

    def revoke(  # a lesson is one unit
        self,
        line: SoldLine,
        quantity: int,  # noqa: ARG002
        reason: str,
        places: Sequence[str] = (),  # noqa: ARG002
    ) -> None:
        """Cancel a lesson after a refund or a lost dispute; a lesson that took place does not change."""
        lesson = _locked(line)
        if lesson is None or lesson.order_line_id != line.id:
            return
        if lesson.state not in (Lesson.State.HELD, Lesson.State.CONFIRMED):
            return
        lesson.state = Lesson.State.CANCELLED
        lesson.held_until = None
        lesson.cancelled_at = timezone.now()
        lesson.cancel_reason = reason[:300]
        lesson.save(update_fields=["state", "held_until", "cancelled_at", "cancel_reason"])
        if lesson.confirmed_at:
            mails.queue_lesson_cancelled(lesson)
            announce_cancelled_lesson(lesson)

    def busy(self, person_id: int, since: datetime, until: datetime) -> Sequence[Appointment]:
        """Lessons that the person gives or takes, and that are paid or being paid."""
        return lessons_of(person_id, since=since, until=until)

    def cancellation_terms(self, line: SoldLine) -> CancellationTerms:
        """Full, half or no refund, by the hours left until the lesson; full if the line has no lesson."""
        lesson = _lesson_of(line)
        if lesson is None or lesson.order_line_id != line.id:
            return CancellationTerms(steps=[RefundStep(amount=line.amount, until=None)])
        policy = {**rules.CANCELLATION_POLICY, **line.policy}
        full_until = lesson.starts_at - timedelta(hours=policy["full_refund_hours"])
        half_until = lesson.starts_at - timedelta(hours=policy["half_refund_hours"])
        return CancellationTerms(
            steps=[
                RefundStep(amount=line.amount, until=full_until),
                RefundStep(amount=half_of(line.amount), until=half_until),
            ],
            places=[Place(key="lesson")] if lesson.is_confirmed else [],
            closes_at=lesson.starts_at,
            zone=lesson.place_zone,
        )

    def earned_at(self, line: SoldLine) -> datetime | None:
        """When the time in which the student may contest the lesson ends: `rules.CONTEST_WITHIN` after the lesson."""
        lesson = _lesson_of(line)
        return lesson.ends_at + rules.CONTEST_WITHIN if lesson else None

    def delivery_url(self, line: SoldLine) -> str:
        """The lesson's page; the list of lessons if the reference is not an id."""
        lesson_id = read_id(line.reference)
        return reverse("bookings:lesson_detail", args=[lesson_id]) if lesson_id else reverse("bookings:requests_mine")


def _lesson_of(line: SoldLine) -> Lesson | None:
    lesson_id = read_id(line.reference)
    return Lesson.objects.filter(pk=lesson_id).first() if lesson_id else None


def _locked(line: SoldLine) -> Lesson | None:
    lesson_id = read_id(line.reference)
    return lock_lesson(lesson_id) if lesson_id else None


def _lessons_with_neighbours(references: Iterable[str]) -> dict[str, Lesson]:
    """The lessons by reference, each with `is_taken`: whether another one occupies its slot. One query."""
    lesson_ids = {lesson_id for reference in references if (lesson_id := read_id(reference))}
    occupying = Lesson.objects.occupying(timezone.now()).filter(
        teacher_id=OuterRef("teacher_id"), period__overlap=OuterRef("period")
    )
    lessons = (
        Lesson.objects.for_pages()
        .filter(pk__in=lesson_ids)
        .annotate(is_taken=Exists(occupying.exclude(pk=OuterRef("pk"))))
    )
    return {str(lesson.pk): lesson for lesson in lessons}


def _quote_one(lesson: Lesson | None, buyer_id: int | None) -> Quote | NotForSale:
    if buyer_id is None:
        return NotForSale("Please sign in: a private lesson can be bought by the student it was proposed to.")
    if lesson is None or lesson.student_id != buyer_id:
        return NotForSale("This private lesson was not proposed to you. Request lessons of your own.")
    refusal = why_not_for_sale(lesson)
    if refusal:
        return NotForSale(refusal)
    return Quote(
        title=lesson.title,
        unit_prices={lesson.currency: lesson.price},
        teacher_id=lesson.teacher_id,
        url=lesson.request.get_absolute_url(),
        quantity_limit=1,
        policy=dict(lesson.policy),
        teacher_name=lesson.teacher.display_name,
        terms=rules.write_terms(lesson.policy),
        thumbnail=thumbnail_of(lesson.request.subject, lesson.teacher.photo),
        description=_describe(lesson),
        appointments=[appointment_of(lesson)],
        needs_sign_in=True,
    )


def _describe(lesson: Lesson) -> str:
    """When and where, in the same form as for workshops: "Tue 4 Nov 2025, 10:00–11:00 CET · Online"."""
    zone = zone_for(lesson, reader=zone_of_user(lesson.student))
    return f"{write_span(lesson.starts_at, lesson.ends_at, zone)} · {'Online' if lesson.is_online else lesson.place}"


def why_not_for_sale(lesson: Lesson) -> str:
    """Why the student it was proposed to cannot buy it now; empty if they can. Their own hold does not count."""
    if lesson.state in (Lesson.State.CONFIRMED, Lesson.State.COMPLETED, Lesson.State.NO_SHOW):
        return "You have already paid for this lesson."
    if lesson.state == Lesson.State.CANCELLED or not lesson.teacher.is_approved:
        return "This lesson is no longer offered."
    if lesson.starts_at <= timezone.now():
        return "The time of this lesson has passed. Ask the teacher for another one."
    return _TAKEN if getattr(lesson, "is_taken", False) else ""


def _hold(line: SoldLine, until: datetime) -> None:
    lesson = _locked(line)
    if lesson is None or lesson.student_id != line.buyer_id:
        raise SoldOut("This lesson is no longer offered.")
    refusal = why_not_for_sale(lesson)
    if refusal:
        raise SoldOut(refusal)
    if lesson.is_on_hold and lesson.order_line_id != line.id:
        # Moving the hold to this line would leave two payment pages open for one lesson.
        raise SoldOut("You are already paying for this lesson in another order.")
    hold_slot(lesson, order_line_id=line.id, until=until)


def _is_settled(lesson: Lesson, line: SoldLine) -> bool:
    """Whether the line was already delivered, even if the lesson was cancelled since."""
    return lesson.order_line_id == line.id and lesson.state != Lesson.State.HELD


def _confirm_without_hold(lesson: Lesson, line: SoldLine) -> None:
    """Confirm a locked lesson whose hold lapsed, if its slot is still free. Raises CannotDeliver."""
    _refuse_what_cannot_be_delivered(lesson, line)
    try:
        confirm_slot(lesson, order_line_id=line.id)
    except SlotTaken as taken:
        raise CannotDeliver("The time was no longer held for you and has been taken by another student.") from taken
    lesson.policy = dict(line.policy)
    lesson.save(update_fields=["policy"])


def _refuse_what_cannot_be_delivered(lesson: Lesson, line: SoldLine) -> None:
    """Raise CannotDeliver. A paid order takes the lesson from a hold by another order of the same student."""
    if lesson.student_id != line.buyer_id:
        raise CannotDeliver("This lesson was proposed to another student.")
    if lesson.state not in (Lesson.State.PROPOSED, Lesson.State.HELD):
        is_gone = lesson.state == Lesson.State.CANCELLED
        raise CannotDeliver("This lesson was withdrawn." if is_gone else "This lesson was already paid for.")
    if lesson.starts_at <= timezone.now():
        raise CannotDeliver("The lesson's time had passed when the payment arrived.")
