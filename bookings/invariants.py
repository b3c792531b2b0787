"""Invariants of paid private lessons, and of who is asked about requests."""

from __future__ import annotations

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from bookings import DOMAIN
from bookings.models import Assignment, Lesson, LessonRequest
from jobs.invariants import Invariant
from payments.models import OrderLine
from subscriptions.models import LessonCredit


class PaidLessonsAreBooked:
    name = "bookings.paid_lessons_are_booked"
    promise = "Each delivered line has its lesson, which is no longer proposed or held."

    def breaking(self) -> list[int]:
        booked = Lesson.objects.filter(order_line_id=OuterRef("pk")).exclude(
            state__in=[Lesson.State.PROPOSED, Lesson.State.HELD]
        )
        lines = OrderLine.objects.filter(domain=DOMAIN, state=OrderLine.State.FULFILLED)
        return list(lines.exclude(Exists(booked)).order_by("pk").values_list("pk", flat=True))


class RequestsAreAssignedAsRecorded:
    name = "bookings.requests_are_assigned_as_recorded"
    promise = "Each open request to any teacher is with the teacher of its current assignment; a closed one has none."

    def breaking(self) -> list[int]:
        current = Assignment.objects.filter(request=OuterRef("pk"), ended_at=None)
        is_open = Q(state=LessonRequest.State.OPEN)
        is_with_another = is_open & Exists(current.exclude(teacher=None).exclude(teacher=OuterRef("teacher")))
        has_no_record = is_open & Q(is_to_any_teacher=True, teacher__isnull=False) & ~Exists(current)
        is_with_staff_too = is_open & Q(teacher__isnull=False) & Exists(current.filter(teacher=None))
        is_only_recorded = is_open & Q(teacher=None) & Exists(current.filter(teacher__isnull=False))
        is_over = ~is_open & Exists(current)
        wrong = is_with_another | has_no_record | is_with_staff_too | is_only_recorded | is_over
        return list(LessonRequest.objects.filter(wrong).order_by("pk").values_list("pk", flat=True))


class TeachersAreNotAskedAgain:
    name = "bookings.teachers_are_not_asked_again"
    promise = "No open request is with a teacher who declined it or let it lapse before."

    def breaking(self) -> list[int]:
        refused = Assignment.objects.filter(
            request=OuterRef("pk"),
            teacher=OuterRef("teacher"),
            outcome__in=[Assignment.Outcome.DECLINED, Assignment.Outcome.LAPSED],
        )
        requests = LessonRequest.objects.filter(Exists(refused), state=LessonRequest.State.OPEN)
        return list(requests.order_by("pk").values_list("pk", flat=True))


class LessonsByCreditHaveOne:
    name = "bookings.lessons_by_credit_have_one"
    promise = (
        "A lesson confirmed with a lesson credit has exactly one: taken until the lesson is earned, earned after that. One "
        "that gave its credit back has none. The ids are of lessons; 0 stands for a credit without its lesson."
    )

    def breaking(self) -> list[int]:
        used = LessonCredit.objects.filter(
            used_for=Concat(Value(f"{DOMAIN}:lesson:"), OuterRef("pk"), output_field=CharField())
        )
        lessons = Lesson.objects.filter(is_by_credit=True)
        is_waiting = Q(credit_ended_at=None) & ~Exists(used.filter(state=LessonCredit.State.TAKEN))
        ended = Q(credit_ended_at__isnull=False)
        is_kept = ended & ~Q(state=Lesson.State.CANCELLED) & ~Exists(used.filter(state=LessonCredit.State.EARNED))
        is_still_taken = ended & Exists(used.filter(state=LessonCredit.State.TAKEN))
        wrong = list(lessons.filter(is_waiting | is_kept | is_still_taken).order_by("pk").values_list("pk", flat=True))
        keys = lessons.annotate(key=Concat(Value(f"{DOMAIN}:lesson:"), "pk", output_field=CharField())).values("key")
        ours = LessonCredit.objects.filter(used_for__startswith=f"{DOMAIN}:lesson:")
        return [0, *wrong] if ours.exclude(used_for__in=keys).exists() else wrong


INVARIANTS: tuple[Invariant, ...] = (
    PaidLessonsAreBooked(),
    RequestsAreAssignedAsRecorded(),
    TeachersAreNotAskedAgain(),
    LessonsByCreditHaveOne(),
)
