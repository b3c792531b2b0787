"""The handler through which payments sells courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Count
from django.urls import reverse

from accounts.models import Teacher
from courses import DOMAIN
from courses.announcements import announce_enrolment
from courses.holds import activate_enrolment, hold_enrolment, release_enrolment, revoke_enrolment
from courses.mails import queue_enrolment_mails, queue_enrolment_revoked, queue_gift_revoked
from courses.models import Course, Enrolment
from payments.contracts import (
    CancellationTerms,
    CannotDeliver,
    CannotReceive,
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

LABEL = "Course"
FULL_REFUND_DAYS = 14
REFUND_TERMS = f"Full refund within {FULL_REFUND_DAYS} days."


class CourseHandler(DomainHandler):
    """Implements `payments.contracts.DomainHandler` for courses. References are course ids."""

    domain = DOMAIN
    label = LABEL
    revoke_one = revoke_many = "End the access to the course"
    revoked_one = revoked_many = "access ended"
    delivery_action = "Go to course"
    can_be_given = True
    earned_by = "a course once the student can no longer get a full refund"

    def quote(self, items: Sequence[Item], buyer_id: int | None) -> Sequence[Quote | NotForSale]:
        """Quote the items in three queries."""
        course_ids = {_course_id(item.reference) for item in items}
        courses = (
            Course.objects.filter(pk__in=course_ids)
            .select_related("teacher", "subject")
            .prefetch_related("prices")
            .annotate(lesson_count=Count("modules__lessons"))
            .in_bulk()
        )
        owned = set(
            Enrolment.objects.active().filter(student=buyer_id, course__in=course_ids).values_list("course", flat=True)
        )
        # A course that the buyer has can still be given to another person.
        return [
            _quote(courses.get(_course_id(item.reference)), buyer_id, set() if item.gift else owned) for item in items
        ]

    def reserve(self, line: SoldLine, until: datetime) -> None:
        if line.quantity != 1:
            raise SoldOut("A course can be bought once per person.")
        course_id = _existing_course_id(line)
        if course_id is None:
            raise SoldOut("This course no longer exists.")
        if line.gift:
            # Nothing to hold: places are not limited, and it is not known yet who will have it.
            return
        hold_enrolment(course_id=course_id, student_id=line.buyer_id, order_line_id=line.id, until=until)

    def fulfil(self, line: SoldLine) -> None:
        course = Course.objects.select_related("teacher__user").filter(pk=_course_id(line.reference)).first()
        if course is None:
            raise CannotDeliver("This course no longer exists.")
        enrolment = activate_enrolment(course_id=course.pk, student_id=line.buyer_id, order_line_id=line.id)
        if enrolment:
            queue_enrolment_mails(course=course, student=enrolment.student, line=line)
            announce_enrolment(enrolment, line=line)

    def keep_gift(self, line: SoldLine) -> None:
        """Only look whether there is a course to give: it is in no one's name until it is redeemed."""
        course = Course.objects.filter(pk=_course_id(line.reference)).first()
        if course is None or course.is_closed:
            raise CannotDeliver("This course no longer exists.")

    def hand_over(self, line: SoldLine) -> None:
        course = Course.objects.select_related("teacher__user").filter(pk=_course_id(line.reference)).first()
        if course is None or course.is_closed:
            raise CannotReceive("This course is no longer offered. Please ask the person who gave it to you.")
        if course.teacher.user_id == line.holder_id:
            raise CannotReceive("This is your own course. Pass the code on, or ask the person who gave it to you.")
        try:
            enrolment = activate_enrolment(
                course_id=course.pk, student_id=line.holder_id, order_line_id=line.id, is_promised=True
            )
        except CannotDeliver:
            raise CannotReceive("You already have this course. You can pass the code on to another person.") from None
        if enrolment:
            queue_enrolment_mails(course=course, student=enrolment.student, line=line)
            announce_enrolment(enrolment, line=line)

    def release(self, line: SoldLine) -> None:
        course_id = None if line.gift else _existing_course_id(line)
        if course_id is not None:
            release_enrolment(course_id=course_id, student_id=line.buyer_id, order_line_id=line.id)

    def revoke(  # a course is one unit
        self,
        line: SoldLine,
        quantity: int,  # noqa: ARG002
        reason: str,
        places: Sequence[str] = (),  # noqa: ARG002
    ) -> None:
        course_id = _existing_course_id(line)
        if course_id is None or (line.gift and line.gift.receiver_id is None):
            return
        revoked = revoke_enrolment(course_id=course_id, student_id=line.holder_id, order_line_id=line.id)
        if revoked and line.gift:
            queue_gift_revoked(revoked, order_line_id=line.id)
        # The teacher of a closed course gets one mail when all are refunded, not one for each.
        if revoked and not revoked.course.is_closed:
            queue_enrolment_revoked(revoked, order_line_id=line.id, reason=reason)

    def cancellation_terms(self, line: SoldLine) -> CancellationTerms:
        """The full amount within the days frozen at purchase, without an end if it was never delivered.

        After these days the student keeps the course: there is nothing to cancel.
        """
        if line.gift and line.gift.receiver_id is None:
            return _terms_of_waiting(line)
        enrolment = Enrolment.objects.filter(course=_course_id(line.reference), student=line.holder_id).first()
        if enrolment and line.id in enrolment.ended_line_ids:
            return CancellationTerms(steps=[])
        delivered_at = enrolment.activated_at if enrolment and _delivered_by(enrolment, line) else None
        if delivered_at is None:
            return CancellationTerms(steps=[RefundStep(amount=line.amount, until=None)])
        until = delivered_at + _refund_period(line)
        return CancellationTerms(
            steps=[RefundStep(amount=line.amount, until=until)], places=[Place(key="course")], closes_at=until
        )

    def earned_at(self, line: SoldLine) -> datetime | None:
        """When the period for a full refund ends; that of a gift begins with its purchase, whenever it is redeemed."""
        if line.gift:
            return line.gift.given_at + _refund_period(line) if line.gift.given_at else None
        enrolment = Enrolment.objects.filter(course=_course_id(line.reference), student=line.buyer_id).first()
        delivered_at = enrolment.activated_at if enrolment and _delivered_by(enrolment, line) else None
        return delivered_at + _refund_period(line) if delivered_at else None

    def delivery_url(self, line: SoldLine) -> str:
        """An address that redirects to the course. It contains only the id, so that lists of orders need no query."""
        return reverse("courses:open", args=[_course_id(line.reference)])


def _terms_of_waiting(line: SoldLine) -> CancellationTerms:
    """The terms of a gift that no one has redeemed: the days count from its purchase."""
    if line.gift is None or line.gift.given_at is None or _existing_course_id(line) is None:
        return CancellationTerms(steps=[RefundStep(amount=line.amount, until=None)])
    until = line.gift.given_at + _refund_period(line)
    places = [Place(key="course")] if line.gift.is_waiting else []
    return CancellationTerms(steps=[RefundStep(amount=line.amount, until=until)], places=places, closes_at=until)


def _quote(course: Course | None, buyer_id: int | None, owned: set[int]) -> Quote | NotForSale:
    refusal = reason_against_buying(course, buyer_id, owned)
    if course is None or refusal:
        return NotForSale(refusal)
    prices = {price.currency: price.amount for price in course.prices.all()}
    if not prices:
        return NotForSale("This course has no price at the moment.")
    lessons = course.lesson_count  # type: ignore[attr-defined]  # annotated in `quote`
    return Quote(
        title=course.title,
        description=f"{lessons} lesson{'' if lessons == 1 else 's'}, at your own pace",
        unit_prices=prices,
        teacher_id=course.teacher_id,
        url=course.get_absolute_url(),
        quantity_limit=1,
        policy={"full_refund_days": FULL_REFUND_DAYS},
        teacher_name=course.teacher.display_name,
        terms=REFUND_TERMS,
        thumbnail=thumbnail_of(course.subject, course.cover),
    )


def reason_against_buying(course: Course | None, buyer_id: int | None, owned: set[int]) -> str:
    """Why this person may not buy this course; empty if they may. A draft counts as not existing."""
    if course is None or course.state == Course.State.DRAFT:
        return "This course does not exist."
    if course.pk in owned:
        return "You already have this course."
    if not course.is_published or course.teacher.status != Teacher.Status.APPROVED:
        return "This course is no longer for sale."
    if buyer_id is not None and course.teacher.user_id == buyer_id:
        return "This is your own course."
    return ""


def _course_id(reference: str) -> int:
    """The course's id in a reference; 0, which no course has, if the reference is not an id."""
    return read_id(reference) or 0


def _existing_course_id(line: SoldLine) -> int | None:
    return Course.objects.filter(pk=_course_id(line.reference)).values_list("pk", flat=True).first()


def _delivered_by(enrolment: Enrolment, line: SoldLine) -> bool:
    return enrolment.state == Enrolment.State.ACTIVE and enrolment.order_line_id == line.id


def _refund_period(line: SoldLine) -> timedelta:
    policy: Mapping[str, object] = line.policy
    days = policy.get("full_refund_days", FULL_REFUND_DAYS)
    return timedelta(days=days if isinstance(days, int) else FULL_REFUND_DAYS)
