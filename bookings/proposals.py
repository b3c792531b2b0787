"""Answer requests as a teacher: propose slots, decline, or withdraw a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import Teacher
from accounts.time_zones import zone_of_user
from bookings import mails, rules
from bookings.announcements import announce_accepted_request, announce_cancelled_lesson
from bookings.assignment import end_assignment
from bookings.holds import lock_lesson
from bookings.models import Assignment, Lesson, LessonRequest
from bookings.reassignment import pass_to_next
from bookings.requests import RequestClosed
from bookings.slots import Slot
from money import Money
from money.limits import CannotBeCharged, check_chargeable


class ProposalRefused(Exception):
    """These slots or this price cannot be proposed. The message is shown to the teacher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the teacher offers in answer to a request; the price is for each lesson."""

    slots: Sequence[Slot]
    price: Money
    is_online: bool
    meeting_url: str = ""
    place: str = ""
    note: str = ""


@transaction.atomic
def accept_request(*, request_id: int, teacher: Teacher, proposal: Proposal) -> list[Lesson]:
    """Propose lessons to the student.

    A lesson in person keeps the zone in which the teacher entered its times: the teacher's own at this moment.

    Raises RequestClosed, ProposalRefused, and LessonRequest.DoesNotExist if this teacher may not answer the request.
    """
    request = _lock_answerable(request_id, teacher)
    _refuse_impossible(proposal, teacher)
    _answer(request, LessonRequest.State.ACCEPTED, proposal.note)
    lessons = [
        Lesson(
            request=request,
            teacher=teacher,
            student=request.student,
            period=slot.as_range(),
            amount_minor=proposal.price.minor,
            currency=proposal.price.currency,
            is_online=proposal.is_online,
            meeting_url=proposal.meeting_url,
            place=proposal.place,
            time_zone="" if proposal.is_online else zone_of_user(teacher.user).key,
            policy=dict(rules.CANCELLATION_POLICY),
        )
        for slot in sorted(proposal.slots, key=lambda slot: slot.starts_at)
    ]
    Lesson.objects.bulk_create(lessons)
    mails.queue_request_accepted(request, lessons)
    announce_accepted_request(request, lessons)
    return lessons


@transaction.atomic
def decline_request(*, request_id: int, teacher: Teacher, note: str) -> None:
    """Decline a request to this teacher. One to any teacher goes to the next one, and `note` is for staff.

    Raises RequestClosed, and LessonRequest.DoesNotExist if this teacher may not answer the request.
    """
    request = _lock_answerable(request_id, teacher)
    if request.is_to_any_teacher:
        pass_to_next(request, Assignment.Outcome.DECLINED, note=note)
        return
    _answer(request, LessonRequest.State.DECLINED, note)
    mails.queue_request_declined(request)


@transaction.atomic
def withdraw_proposal(*, lesson_id: int, teacher: Teacher) -> Lesson:
    """Withdraw a proposed lesson.

    Raises ProposalRefused if it is being paid or no longer proposed, and Lesson.DoesNotExist for another teacher's.
    """
    lesson = lock_lesson(lesson_id)
    if lesson is None or lesson.teacher_id != teacher.pk:
        raise Lesson.DoesNotExist
    if lesson.is_on_hold:
        raise ProposalRefused("The student is paying for this lesson right now.")
    if lesson.state not in (Lesson.State.PROPOSED, Lesson.State.HELD):
        raise ProposalRefused("This lesson is no longer a proposal.")
    lesson.state = Lesson.State.CANCELLED
    lesson.held_until = None
    lesson.order_line_id = None
    lesson.cancelled_at = timezone.now()
    lesson.cancel_reason = "Withdrawn by the teacher before it was paid."
    lesson.save(update_fields=["state", "held_until", "order_line_id", "cancelled_at", "cancel_reason"])
    announce_cancelled_lesson(lesson)
    return lesson


def lessons_near(teacher: Teacher, slots: Sequence[Slot]) -> list[Lesson]:
    """Lessons of this teacher that overlap one of these slots: proposed, being paid, or confirmed."""
    if not slots:
        return []
    earliest, latest = min(slot.starts_at for slot in slots), max(slot.ends_at for slot in slots)
    around = Lesson.objects.for_pages().filter(
        teacher=teacher,
        state__in=[Lesson.State.PROPOSED, Lesson.State.HELD, Lesson.State.CONFIRMED],
        period__overlap=Slot(earliest, latest).as_range(),
    )
    return [lesson for lesson in around if any(slot.overlaps(Slot(lesson.starts_at, lesson.ends_at)) for slot in slots)]


def _lock_answerable(request_id: int, teacher: Teacher) -> LessonRequest:
    request = (
        LessonRequest.objects.select_for_update(of=("self",))
        .select_related("student", "subject__broader", "teacher")
        .get(pk=request_id)
    )
    if request.teacher_id != teacher.pk:
        if request.assignments.filter(teacher=teacher).exists():
            raise RequestClosed("This request has gone to another teacher.")
        raise LessonRequest.DoesNotExist
    if not request.is_open:
        raise RequestClosed("This request has been answered, withdrawn, or has lapsed.")
    return request


def _answer(request: LessonRequest, state: LessonRequest.State, note: str) -> None:
    request.state = state
    request.teacher_note = note
    request.answered_at = timezone.now()
    request.save(update_fields=["state", "teacher_note", "answered_at"])
    end_assignment(request, Assignment.Outcome(state.value))


def _refuse_impossible(proposal: Proposal, teacher: Teacher) -> None:
    """Raise ProposalRefused for a proposal that no student could buy."""
    now = timezone.now()
    slots = sorted(proposal.slots, key=lambda slot: slot.starts_at)
    if not 1 <= len(slots) <= rules.SLOTS_AT_MOST:
        raise ProposalRefused(f"Propose between 1 and {rules.SLOTS_AT_MOST} times.")
    if slots[0].starts_at <= now:
        raise ProposalRefused("A time you propose has already passed.")
    if slots[-1].starts_at > now + rules.SLOT_AT_MOST_AHEAD:
        raise ProposalRefused("Propose times within the next twelve months.")
    if any(slots[i].overlaps(slots[i + 1]) for i in range(len(slots) - 1)):
        raise ProposalRefused("Two of the times overlap each other.")
    try:
        check_chargeable(proposal.price)
    except CannotBeCharged as error:
        raise ProposalRefused(str(error)) from error
    if any(lesson.is_confirmed for lesson in lessons_near(teacher, slots)):
        raise ProposalRefused("You have a confirmed lesson at one of these times.")
